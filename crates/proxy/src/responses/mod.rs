//! What later requests may refer to: the responses that callers made. A provider with a memory of its own keeps them
//! there, and here is only noted whose they are and who has them; for any other provider the conversation itself is kept.
//! Only requests for a response come here, and those that are not to be stored and refer to nothing pass through.

mod continuing;
mod entry;
mod keeping;
mod listing;
mod managing;
mod memory;
mod notes;
mod passing;
mod pending;
mod replaying;
mod settling;

pub(crate) use continuing::resolve;
pub(crate) use keeping::{Keep, Keeper, Kept};
pub(crate) use managing::{Action, Told, manage};
pub use memory::ResponseMemory;
pub(crate) use passing::Passing;

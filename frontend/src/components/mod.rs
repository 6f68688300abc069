//! The parts pages are made of. They know how to look and behave, and none of the resources.

pub(crate) mod badge;
pub(crate) mod brand;
pub(crate) mod button;
pub(crate) mod chart;
pub(crate) mod choice;
pub(crate) mod code;
pub(crate) mod confirm;
pub(crate) mod dialog;
pub(crate) mod field;
pub(crate) mod form;
pub(crate) mod header;
pub(crate) mod icon;
pub(crate) mod leave;
pub(crate) mod live;
pub(crate) mod menu;
pub(crate) mod moment;
pub(crate) mod segments;
pub(crate) mod stat;
pub(crate) mod state;
pub(crate) mod strategy;
pub(crate) mod table;
pub(crate) mod tabs;
pub(crate) mod toast;

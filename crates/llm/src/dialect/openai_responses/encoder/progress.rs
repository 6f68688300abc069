//! What has been written of a stream: its events are counted, and the items that are done are kept for the last one.

use crate::dialect::openai_responses::events::{Feed, OfItem};
use crate::dialect::openai_responses::items::Item;

pub(super) struct Output {
    pub(super) response_id: String,
    /// The items that are done.
    pub(super) items: Vec<Item>,
    pub(super) feed: Feed,
}

impl Output {
    pub(super) fn new(response_id: &str) -> Self {
        Self {
            response_id: response_id.to_owned(),
            items: Vec::new(),
            feed: Feed::default(),
        }
    }

    /// The place of the item that comes next.
    pub(super) fn index(&self) -> usize {
        self.items.len()
    }

    pub(super) fn added(&mut self, item: &Item, out: &mut Vec<u8>) {
        let output_index = self.index();
        let event = OfItem { output_index, item };
        self.feed.write("response.output_item.added", event, out);
    }

    pub(super) fn done(&mut self, item: Item, out: &mut Vec<u8>) {
        let output_index = self.index();
        let event = OfItem {
            output_index,
            item: &item,
        };
        self.feed.write("response.output_item.done", event, out);
        self.items.push(item);
    }
}

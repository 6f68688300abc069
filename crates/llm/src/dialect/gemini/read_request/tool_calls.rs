//! Which call a result answers. Gemini's calls need no identifiers: those without get one that counts the conversation's
//! calls, and results find their call by identifier, or else by name in order.

use std::collections::{HashMap, HashSet, VecDeque};

#[derive(Debug, Default)]
pub(super) struct ToolCalls {
    /// How many calls there were.
    count: usize,
    known: HashSet<Box<str>>,
    /// Calls that wait for their result.
    open: HashSet<Box<str>>,
    /// By the tool's name, in order; those answered by identifier are still in it.
    by_name: HashMap<Box<str>, VecDeque<Box<str>>>,
}

impl ToolCalls {
    /// Calls that were not answered before the model spoke again are not answered any more.
    pub(super) fn model_speaks(&mut self) {
        self.open.clear();
        self.by_name.clear();
    }

    /// The identifier of a call that is made.
    pub(super) fn make(&mut self, given: Option<Box<str>>, name: &str) -> Box<str> {
        let id = given.unwrap_or_else(|| self.made_up());
        self.count += 1;
        self.known.insert(id.clone());
        self.open.insert(id.clone());
        self.by_name.entry(name.into()).or_default().push_back(id.clone());
        id
    }

    /// The identifier of the call that a result answers, if there is one.
    pub(super) fn answer(&mut self, given: Option<&str>, name: &str) -> Option<Box<str>> {
        if let Some(id) = given.and_then(|id| self.open.take(id)) {
            return Some(id);
        }
        let waiting = self.by_name.get_mut(name)?;
        while let Some(id) = waiting.pop_front() {
            if self.open.remove(&id) {
                return Some(id);
            }
        }
        None
    }

    fn made_up(&mut self) -> Box<str> {
        loop {
            let id = format!("call_{}", self.count).into_boxed_str();
            if !self.known.contains(&id) {
                return id;
            }
            self.count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_find_their_call_by_identifier_or_by_name_in_order() {
        let mut calls = ToolCalls::default();
        let ids = ["a", "b", "a", "a"].map(|name| calls.make(None, name));
        assert_eq!(ids.each_ref().map(|id| &**id), ["call_0", "call_1", "call_2", "call_3"]);

        assert_eq!(calls.answer(Some("call_0"), "a").as_deref(), Some("call_0"));
        assert_eq!(calls.answer(None, "a").as_deref(), Some("call_2"));
        assert_eq!(calls.answer(Some("unknown"), "a").as_deref(), Some("call_3"));
        assert_eq!(calls.answer(None, "a"), None);
        calls.model_speaks();
        assert_eq!(calls.answer(None, "b"), None);
        assert_eq!(calls.answer(Some("call_1"), "b"), None);
    }

    #[test]
    fn a_made_up_identifier_is_not_one_that_was_given() {
        let mut calls = ToolCalls::default();

        let given = calls.make(Some("call_1".into()), "a");
        let made_up = calls.make(None, "a");

        assert_ne!(given, made_up);
    }
}

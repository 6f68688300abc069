//! What a caller lends to an evaluation.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use crate::value::Value;

/// Where an expression finds the values of its names.
pub trait Names {
    /// The value of a declared name. Members of [`crate::Type::Object`] are asked for by their whole path, such as
    /// `request.headers`, and only when the evaluation comes by them; one that is read twice is asked for twice. `None`
    /// is a value that this request does not have: reading it fails, and `has()` tells.
    fn find<'a>(&'a self, path: &str) -> Option<Value<'a>>;
}

/// A list of the caller's.
pub trait Sequence: Sync {
    fn length(&self) -> usize;

    fn at(&self, index: usize) -> Option<Value<'_>>;
}

/// A map of the caller's, from strings.
pub trait Mapping: Sync {
    fn length(&self) -> usize;

    fn find(&self, key: &str) -> Option<Value<'_>>;

    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_>;
}

impl<T: AsRef<str> + Sync> Sequence for Vec<T> {
    fn length(&self) -> usize {
        self.len()
    }

    fn at(&self, index: usize) -> Option<Value<'_>> {
        self.get(index).map(|text| text.as_ref().into())
    }
}

impl<T: AsRef<str> + Sync> Mapping for BTreeMap<String, T> {
    fn length(&self) -> usize {
        self.len()
    }

    fn find(&self, key: &str) -> Option<Value<'_>> {
        self.get(key).map(|text| text.as_ref().into())
    }

    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(BTreeMap::keys(self).map(String::as_str))
    }
}

impl<T: AsRef<str> + Sync, S: BuildHasher + Sync> Mapping for HashMap<String, T, S> {
    fn length(&self) -> usize {
        self.len()
    }

    fn find(&self, key: &str) -> Option<Value<'_>> {
        self.get(key).map(|text| text.as_ref().into())
    }

    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(HashMap::keys(self).map(String::as_str))
    }
}

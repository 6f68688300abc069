//! The address bar as a signal. Links are plain anchors; a click on one that stays inside the dashboard changes the
//! address without leaving the page.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::HtmlAnchorElement;

use crate::place::Place;

/// What the address bar says, in its three parts, without their marks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Address {
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) fragment: String,
}

/// The current address, and the ways to change it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Router {
    address: RwSignal<Address>,
    place: Memo<Place>,
    /// Whether the page has something that leaving it would lose.
    held: RwSignal<bool>,
    /// Where somebody wanted to go while the page was held.
    wanted: RwSignal<Option<String>>,
}

/// Whether the back button leads to the address that is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trace {
    Kept,
    Replaced,
}

impl Address {
    fn href(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }
}

impl Router {
    /// Starts to follow the browser and makes the router available to everything below.
    pub(crate) fn provide() -> Self {
        let address = RwSignal::new(read());
        let place = Memo::new(move |_| address.with(|address| Place::parse(&address.path)));
        let router = Self {
            address,
            place,
            held: RwSignal::new(false),
            wanted: RwSignal::new(None),
        };
        let _popstate = window_event_listener(ev::popstate, move |_| router.step());
        let _unload = window_event_listener(ev::beforeunload, move |event| {
            if router.held.get_untracked() {
                // The browser asks in its own words.
                event.prevent_default();
            }
        });
        let _click = window_event_listener(ev::click, move |event| router.follow(&event));
        provide_context(router);
        router
    }

    pub(crate) fn place(self) -> Place {
        self.place.get()
    }

    pub(crate) fn query(self) -> String {
        self.address.with(|address| address.query.clone())
    }

    /// The current path with its query, to come back to.
    pub(crate) fn here(self) -> String {
        self.address.with_untracked(Address::href)
    }

    /// One `name=value` of the fragment.
    pub(crate) fn fragment_value(self, name: &str) -> Option<String> {
        let pairs: Vec<(String, String)> = self
            .address
            .with_untracked(|address| serde_urlencoded::from_str(&address.fragment))
            .ok()?;
        pairs
            .into_iter()
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// Goes to a page, once nothing is lost by it.
    pub(crate) fn go(self, place: &Place) {
        self.leave_for(place.href());
    }

    /// From here on leaving the page has to be confirmed, or has not.
    pub(crate) fn hold(self, held: bool) {
        self.held.set(held);
    }

    /// Where somebody wants to go who has to confirm it.
    pub(crate) fn wanted(self) -> Option<String> {
        self.wanted.get()
    }

    pub(crate) fn stay(self) {
        self.wanted.set(None);
    }

    pub(crate) fn leave(self) {
        if let Some(href) = self.wanted.get_untracked() {
            self.held.set(false);
            self.wanted.set(None);
            self.change(&href, Trace::Kept);
        }
    }

    /// Goes to an address without leaving the current one in the history.
    pub(crate) fn replace(self, href: &str) {
        self.change(href, Trace::Replaced);
    }

    /// Changes what follows the question mark and stays on the page.
    pub(crate) fn set_query(self, query: &str) {
        let path = self.address.with_untracked(|address| address.path.clone());
        let href = if query.is_empty() {
            path
        } else {
            format!("{path}?{query}")
        };
        self.change(&href, Trace::Replaced);
    }

    fn leave_for(self, href: String) {
        if self.held.get_untracked() {
            self.wanted.set(Some(href));
        } else {
            self.change(&href, Trace::Kept);
        }
    }

    /// The browser has gone back or forward. A page that is held gets its address again until that is confirmed.
    fn step(self) {
        let to = read();
        if !self.held.get_untracked() || to.path == self.address.with_untracked(|address| address.path.clone()) {
            self.address.set(to);
            return;
        }
        let here = self.here();
        self.change(&here, Trace::Kept);
        self.wanted.set(Some(to.href()));
    }

    fn change(self, href: &str, trace: Trace) {
        let Ok(history) = window().history() else { return };
        let changed = match trace {
            Trace::Kept => history.push_state_with_url(&JsValue::NULL, "", Some(href)),
            Trace::Replaced => history.replace_state_with_url(&JsValue::NULL, "", Some(href)),
        };
        // A browser that refuses (an address of another origin) leaves everything as it was.
        if changed.is_ok() {
            self.address.set(read());
        }
    }

    fn follow(self, event: &web_sys::MouseEvent) {
        let modified = event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key();
        if event.default_prevented() || event.button() != 0 || modified {
            return;
        }
        let Some(anchor) = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .and_then(|element| element.closest("a[href]").ok().flatten())
            .and_then(|element| element.dyn_into::<HtmlAnchorElement>().ok())
        else {
            return;
        };
        let inside = window()
            .location()
            .origin()
            .is_ok_and(|origin| origin == anchor.origin());
        let fragment_only = anchor.get_attribute("href").is_some_and(|href| href.starts_with('#'));
        if !inside || fragment_only || !anchor.target().is_empty() || anchor.has_attribute("download") {
            return;
        }
        event.prevent_default();
        self.leave_for(format!("{}{}{}", anchor.pathname(), anchor.search(), anchor.hash()));
    }
}

/// The router of the page that asks.
pub(crate) fn use_router() -> Router {
    expect_context()
}

fn read() -> Address {
    let location = window().location();
    let without = |mark: char, text: Result<String, JsValue>| {
        text.ok()
            .map(|text| text.strip_prefix(mark).map(str::to_owned).unwrap_or(text))
            .unwrap_or_default()
    };
    Address {
        path: location.pathname().unwrap_or_default(),
        query: without('?', location.search()),
        fragment: without('#', location.hash()),
    }
}

//! Things fetched from the server, with the states they go through. A newer fetch makes an older answer void.

use std::pin::Pin;

use gatewright_types::Page;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::{Failure, Pending};

/// How far a fetch has come.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Load<T> {
    Waiting,
    Ready(T),
    Failed(Failure),
}

/// Puts on the screen what was fetched.
type Arrival = Box<dyn FnOnce()>;
type Arriving = Pin<Box<dyn Future<Output = Arrival>>>;

/// Fetches the page after a cursor.
type FetchPage<T> = Box<dyn Fn(Option<String>) -> Pending<Page<T>>>;

/// One thing, fetched anew whenever a signal that was read for the fetch changes.
#[derive(Debug)]
pub(crate) struct Loader<T: Send + Sync + 'static> {
    pub(crate) state: RwSignal<Load<T>>,
    again: Trigger,
}

/// A list, fetched page by page.
pub(crate) struct List<T: Send + Sync + 'static> {
    pub(crate) state: RwSignal<Load<Vec<T>>>,
    pub(crate) progress: RwSignal<Progress>,
    again: Trigger,
    next: RwSignal<Option<String>>,
    turn: StoredValue<u32>,
    fetch: StoredValue<FetchPage<T>, LocalStorage>,
}

/// Whether a list goes on after what is there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Progress {
    Complete,
    More,
    LoadingMore,
    MoreFailed(Failure),
}

impl<T: Send + Sync + 'static> Clone for Loader<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Loader<T> {}

impl<T: Send + Sync + 'static> Clone for List<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for List<T> {}

impl<T: Send + Sync + 'static> Loader<T> {
    pub(crate) fn new(fetch: impl Fn() -> Pending<T> + 'static) -> Self {
        Self::by(Box::new(fetch))
    }

    /// Once for all that is of one kind.
    fn by(fetch: Box<dyn Fn() -> Pending<T>>) -> Self {
        let loader = Self {
            state: RwSignal::new(Load::Waiting),
            again: Trigger::new(),
        };
        let fetch = move || -> Arriving {
            let answer = fetch();
            Box::pin(async move {
                let load = answer.await.map_or_else(Load::Failed, Load::Ready);
                Box::new(move || loader.state.set(load)) as Arrival
            })
        };
        follow(loader.again, StoredValue::new(0), Box::new(fetch));
        loader
    }

    /// Fetches again; what is there stays until the answer comes.
    pub(crate) fn reload(self) {
        self.again.notify();
    }

    /// Fetches again from the beginning, as if nothing had been there.
    pub(crate) fn retry(self) {
        self.state.set(Load::Waiting);
        self.again.notify();
    }
}

impl<T: Send + Sync + 'static> Loader<Vec<T>> {
    /// What is on the first page.
    pub(crate) fn items(fetch: impl Fn() -> Pending<Page<T>> + 'static) -> Self {
        Self::new(move || items(fetch()))
    }
}

impl<T: Send + Sync + 'static> List<T> {
    pub(crate) fn new(fetch: impl Fn(Option<String>) -> Pending<Page<T>> + 'static) -> Self {
        Self::by(Box::new(fetch))
    }

    /// Once for all that is of one kind.
    fn by(fetch: FetchPage<T>) -> Self {
        let list = Self {
            state: RwSignal::new(Load::Waiting),
            progress: RwSignal::new(Progress::Complete),
            again: Trigger::new(),
            next: RwSignal::new(None),
            turn: StoredValue::new(0),
            fetch: StoredValue::new_local(fetch),
        };
        let first = move || -> Arriving {
            let answer = list.fetch.with_value(|fetch| fetch(None));
            Box::pin(async move {
                let answer = answer.await;
                let arrival = move || match answer {
                    Ok(page) => {
                        list.progress.set(progress_after(&page));
                        list.next.set(page.next_cursor);
                        list.state.set(Load::Ready(page.items));
                    }
                    Err(failure) => {
                        list.progress.set(Progress::Complete);
                        list.state.set(Load::Failed(failure));
                    }
                };
                Box::new(arrival) as Arrival
            })
        };
        follow(list.again, list.turn, Box::new(first));
        list
    }

    /// Fetches the first page again; what is there stays until the answer comes.
    pub(crate) fn reload(self) {
        self.again.notify();
    }

    /// Fetches again from the beginning, as if nothing had been there.
    pub(crate) fn retry(self) {
        self.state.set(Load::Waiting);
        self.again.notify();
    }

    /// Appends the next page.
    pub(crate) fn load_more(self) {
        let Some(cursor) = self.next.get_untracked() else {
            return;
        };
        if self.progress.get_untracked() == Progress::LoadingMore {
            return;
        }
        self.progress.set(Progress::LoadingMore);
        let answer = untrack(|| self.fetch.with_value(|fetch| fetch(Some(cursor))));
        let more = async move {
            let answer = answer.await;
            let arrival = move || match answer {
                Ok(page) => {
                    self.progress.set(progress_after(&page));
                    self.next.set(page.next_cursor);
                    self.state.update(|state| {
                        if let Load::Ready(items) = state {
                            items.extend(page.items);
                        }
                    });
                }
                Err(failure) => self.progress.set(Progress::MoreFailed(failure)),
            };
            Box::new(arrival) as Arrival
        };
        await_in_turn(self.turn, self.turn.get_value(), Box::pin(more));
    }
}

/// Fetches anew whenever something that was read for it changes. Written once for whatever is fetched, because the
/// dashboard is downloaded.
fn follow(again: Trigger, turn: StoredValue<u32>, fetch: Box<dyn Fn() -> Arriving>) {
    Effect::new(move |_| {
        again.track();
        let arriving = fetch();
        await_in_turn(turn, next_turn(turn), arriving);
    });
}

/// Shows what arrives unless something newer is under way by then.
fn await_in_turn(turn: StoredValue<u32>, mine: u32, arriving: Arriving) {
    spawn_local(async move {
        let arrival = arriving.await;
        if turn.try_get_value() == Some(mine) {
            arrival();
        }
    });
}

fn items<T: 'static>(page: Pending<Page<T>>) -> Pending<Vec<T>> {
    Box::pin(async move { Ok(page.await?.items) })
}

fn next_turn(turn: StoredValue<u32>) -> u32 {
    turn.update_value(|turn| *turn = turn.wrapping_add(1));
    turn.get_value()
}

fn progress_after<T>(page: &Page<T>) -> Progress {
    if page.next_cursor.is_some() {
        Progress::More
    } else {
        Progress::Complete
    }
}

//! Light, dark, or what the system says; remembered in this browser.

use leptos::prelude::*;

use crate::components::segments::segments;

const STORAGE_KEY: &str = "gatewright.theme";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Theme {
    System,
    Light,
    Dark,
}

impl Theme {
    const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }
}

/// The chosen theme.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ThemeChoice(RwSignal<Theme>);

impl ThemeChoice {
    /// Applies the remembered theme, and every later choice.
    pub(crate) fn provide() {
        let choice = Self(RwSignal::new(remembered()));
        Effect::new(move |_| apply(choice.0.get()));
        provide_context(choice);
    }

    fn set(self, theme: Theme) {
        self.0.set(theme);
        if let Some(storage) = storage() {
            // A browser that stores nothing still shows the choice until it is closed.
            let _private_mode = storage.set_item(STORAGE_KEY, theme.as_str());
        }
    }
}

/// The three themes to choose from.
pub(crate) fn theme_picker() -> AnyView {
    let choice: ThemeChoice = expect_context();
    let choose = Callback::new(move |theme| choice.set(theme));
    segments(
        "Theme",
        Theme::ALL.map(|theme| (theme, theme.title())),
        choice.0.into(),
        choose,
    )
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

fn remembered() -> Theme {
    let stored = storage().and_then(|storage| storage.get_item(STORAGE_KEY).ok().flatten());
    let found = stored.and_then(|stored| Theme::ALL.into_iter().find(|theme| theme.as_str() == stored));
    found.unwrap_or(Theme::System)
}

fn apply(theme: Theme) {
    let Some(root) = document().document_element() else {
        return;
    };
    let applied = match theme {
        Theme::System => root.remove_attribute("data-theme"),
        Theme::Light | Theme::Dark => root.set_attribute("data-theme", theme.as_str()),
    };
    debug_assert!(applied.is_ok(), "data-theme is a valid attribute name");
}

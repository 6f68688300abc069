//! Making a budget, and changing all of it but its scope.

use gatewright_types::api::{
    Budget, BudgetAction, BudgetMode, BudgetSpec, BudgetWindow, LimitScope, NewBudget, UnpricedRequests,
    WhenUnavailable,
};
use gatewright_types::{BudgetId, Currency, Nanos};
use leptos::prelude::*;

use crate::components::choice::CheckField;
use crate::components::dialog::{Dialog, Frame};
use crate::components::field::{Input, SelectField, TextField};
use crate::components::form::FormFrame;
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::pages::choices::{choices, fixed};
use crate::pages::scope::ScopeFields;
use crate::session::{Workspace, use_workspace};

const WINDOWS: [(&str, &str); 7] = [
    ("hour", "An hour"),
    ("day", "A day"),
    ("week", "A week, from Monday"),
    ("month", "A month"),
    ("fiscal_month", "A month from another day"),
    ("rolling", "The time up to now"),
    ("total", "For ever"),
];
const ACTIONS: [(&str, &str); 4] = [
    ("block", "Refuse requests"),
    ("warn", "Only tell"),
    ("ask", "Refuse, and ask for more"),
    ("downgrade", "Go to another model"),
];
const MODES: [(&str, &str); 2] = [("smooth", "Smooth"), ("strict", "Strict")];
const UNAVAILABLE: [(&str, &str); 3] = [
    ("", "As the mode has it"),
    ("local", "Go on by what each node knows"),
    ("deny", "Refuse requests"),
];
const UNPRICED: [(&str, &str); 3] = [
    ("", "As the mode has it"),
    ("block", "Refuse them"),
    ("allow", "Let them through, as costing nothing"),
];
const SMOOTH: &str = "Reserves what such a request usually costs: nobody waits for money that is hardly ever needed, and \
                      what is spent beyond the amount is bounded. Goes on when nodes cannot ask each other, and lets \
                      requests without a price through.";
const STRICT: &str = "Reserves the most a request can cost: never a cent beyond the amount, but long answers may be \
                      refused while there is some left. Refuses when nodes cannot ask each other, and what has no price.";

/// What is saved.
enum Target {
    Known(BudgetId),
    New(LimitScope),
}

/// What is written so far.
#[derive(Clone, Copy)]
struct Fields {
    form: Form,
    amount: RwSignal<String>,
    window: RwSignal<String>,
    starts_on: RwSignal<String>,
    rolling: RwSignal<String>,
    time_zone: RwSignal<String>,
    action: RwSignal<String>,
    downgrade: RwSignal<String>,
    soft: RwSignal<String>,
    alerts: RwSignal<String>,
    carry_over: RwSignal<bool>,
    mode: RwSignal<String>,
    when_unavailable: RwSignal<String>,
    unpriced: RwSignal<String>,
}

/// Makes a budget, or changes the one that is given.
#[component]
pub(super) fn BudgetForm(budget: Option<Budget>, on_saved: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("budget");
    let fields = Fields::new(form, budget.as_ref().map(|budget| &budget.spec));
    let id = budget.as_ref().map(|budget| budget.id);
    let (heading, submit) = match budget {
        Some(budget) => (format!("Budget of {}", budget.scope_name), "Save"),
        None => ("Create budget".to_owned(), "Create budget"),
    };
    let scope = id.is_none().then(|| ScopeFields::new(form));
    let save = Callback::new(move |()| {
        form.clear();
        let target = match id {
            Some(id) => Some(Target::Known(id)),
            None => scope.and_then(ScopeFields::read).map(Target::New),
        };
        let (Some(target), Some(spec)) = (target, fields.read()) else {
            return;
        };
        let call = match target {
            Target::Known(id) => workspace.change_budget(id, &spec),
            Target::New(scope) => workspace.create_budget(&NewBudget { scope, spec }),
        };
        form.send(call, move |budget| {
            toasts.done(format!("The budget of {} is saved.", budget.scope_name));
            tell(on_saved);
            tell(on_close);
        });
    });
    view! {
        <Dialog title=heading frame=Frame::Wide on_close=on_close>
            <FormFrame form=form submit=submit on_submit=save on_cancel=on_close>
                {scope.map(|scope| view! { <div class="field-grid">{scope.view()}</div> })}
                {fields.view(workspace)}
            </FormFrame>
        </Dialog>
    }
    .into_any()
}

impl Fields {
    fn new(form: Form, spec: Option<&BudgetSpec>) -> Self {
        let text = |of: fn(&BudgetSpec) -> String, otherwise: &str| {
            RwSignal::new(spec.map_or_else(|| otherwise.to_owned(), of))
        };
        Self {
            form,
            amount: text(|spec| spec.amount.to_string(), ""),
            window: text(|spec| window_word(spec.window).to_owned(), "month"),
            starts_on: text(
                |spec| match spec.window {
                    BudgetWindow::FiscalMonth { starts_on } => starts_on.to_string(),
                    _ => "26".to_owned(),
                },
                "26",
            ),
            rolling: text(
                |spec| match spec.window {
                    BudgetWindow::Rolling(length) => length.to_string(),
                    _ => "30d".to_owned(),
                },
                "30d",
            ),
            time_zone: text(|spec| spec.time_zone.to_string(), "UTC"),
            action: text(|spec| action_word(&spec.action).to_owned(), "block"),
            downgrade: text(
                |spec| match &spec.action {
                    BudgetAction::Downgrade(model) => model.to_string(),
                    BudgetAction::Block | BudgetAction::Warn | BudgetAction::Ask => String::new(),
                },
                "",
            ),
            soft: text(|spec| spec.soft.map(|soft| soft.to_string()).unwrap_or_default(), ""),
            alerts: text(
                |spec| {
                    spec.alerts
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(", ")
                },
                "50, 80, 100",
            ),
            carry_over: RwSignal::new(spec.is_some_and(|spec| spec.carry_over)),
            mode: text(|spec| spec.mode.as_str().to_owned(), "smooth"),
            when_unavailable: text(
                |spec| spec.when_unavailable.map_or("", WhenUnavailable::as_str).to_owned(),
                "",
            ),
            unpriced: text(|spec| spec.unpriced.map_or("", UnpricedRequests::as_str).to_owned(), ""),
        }
    }

    /// Nothing when a field is wrong; every wrong one is marked.
    fn read(self) -> Option<BudgetSpec> {
        let form = self.form;
        let amount = form.parse::<Nanos>("amount", self.amount);
        let time_zone = form.parse("time_zone", self.time_zone);
        let window = self.read_window();
        let action = self.read_action();
        let downgrades = matches!(action, Some(BudgetAction::Downgrade(_)));
        let soft = if downgrades {
            form.parse_optional::<Nanos>("soft", self.soft)
        } else {
            Some(None)
        };
        let alerts = self.read_alerts();
        let of = |words: RwSignal<String>| words.get_untracked();
        let (mode, unavailable, unpriced) = (of(self.mode), of(self.when_unavailable), of(self.unpriced));
        let window = window?;
        Some(BudgetSpec {
            amount: amount?,
            currency: Currency::default(),
            window,
            time_zone: time_zone?,
            action: action?,
            soft: soft?,
            alerts: alerts?,
            carry_over: self.carry_over.get_untracked() && has_next(window_word(window)),
            mode: word(BudgetMode::ALL, BudgetMode::as_str, &mode).unwrap_or_default(),
            when_unavailable: word(WhenUnavailable::ALL, WhenUnavailable::as_str, &unavailable),
            unpriced: word(UnpricedRequests::ALL, UnpricedRequests::as_str, &unpriced),
        })
    }

    fn read_window(self) -> Option<BudgetWindow> {
        let form = self.form;
        Some(match self.window.get_untracked().as_str() {
            "hour" => BudgetWindow::Hour,
            "day" => BudgetWindow::Day,
            "week" => BudgetWindow::Week,
            "fiscal_month" => BudgetWindow::FiscalMonth {
                starts_on: form.parse("window.fiscal_month.starts_on", self.starts_on)?,
            },
            "rolling" => BudgetWindow::Rolling(form.parse("window.rolling", self.rolling)?),
            "total" => BudgetWindow::Total,
            _ => BudgetWindow::Month,
        })
    }

    fn read_action(self) -> Option<BudgetAction> {
        Some(match self.action.get_untracked().as_str() {
            "warn" => BudgetAction::Warn,
            "ask" => BudgetAction::Ask,
            "downgrade" => BudgetAction::Downgrade(self.form.parse("action.downgrade", self.downgrade)?),
            _ => BudgetAction::Block,
        })
    }

    fn read_alerts(self) -> Option<Vec<u16>> {
        let text = self.alerts.get_untracked();
        let steps = text.split([',', ' ', '%']).filter(|step| !step.is_empty());
        let read = steps.map(str::parse).collect::<Result<Vec<u16>, _>>();
        if read.is_err() {
            self.form
                .refuse("alerts", "are whole percentages with commas between them");
        }
        read.ok()
    }

    fn view(self, workspace: Workspace) -> AnyView {
        let form = self.form;
        let beside_window = move || {
            match self.window.get().as_str() {
            "fiscal_month" => view! {
                <TextField form=form name="window.fiscal_month.starts_on" label="Begins on day" value=self.starts_on input=Input::Number/>
            }
            .into_any(),
            "rolling" => view! {
                <TextField form=form name="window.rolling" label="Length" value=self.rolling input=Input::Code hint="From 1h to 90d."/>
            }
            .into_any(),
            _ => ().into_any(),
        }
        };
        let below_action = move || {
            (self.action.get() == "downgrade").then(|| {
                let models = choices(
                    move || {
                        Box::pin(async move {
                            let models = workspace.model_choices().await?.items.into_iter();
                            Ok(models.map(|model| (model.name.to_string(), model.name.to_string())).collect())
                        })
                    },
                    self.downgrade,
                    "No models yet",
                );
                view! {
                    <SelectField form=form name="action.downgrade" label="The other model" value=self.downgrade options=models/>
                    <TextField form=form name="soft" label="From this amount on (USD)" value=self.soft input=Input::Code
                        hint="Then the whole amount refuses. Empty: at the whole amount, without an end."/>
                }
            })
        };
        let carry_over = move || {
            self.window.with(|window| has_next(window)).then(|| {
                let label = "Add what is left to the next window";
                view! { <CheckField form=form name="carry_over" label=label value=self.carry_over/> }
            })
        };
        let mode = move || self.mode.with(|mode| if mode == "strict" { STRICT } else { SMOOTH });
        view! {
            <div class="field-grid">
                <TextField form=form name="amount" label="Amount (USD)" value=self.amount input=Input::Code placeholder="100.00"/>
                <SelectField form=form name="window" label="Within" value=self.window options=fixed(&WINDOWS)/>
                {beside_window}
                <TextField form=form name="time_zone" label="Time zone" value=self.time_zone input=Input::Code
                    hint="In which days begin, like Europe/Berlin."/>
                <SelectField form=form name="action" label="Once it is spent" value=self.action options=fixed(&ACTIONS)/>
                {below_action}
            </div>
            <SelectField form=form name="mode" label="How exactly" value=self.mode options=fixed(&MODES)/>
            <p class="muted small">{mode}</p>
            <details class="more-fields">
                <summary>"Alerts, carry-over and exceptions"</summary>
                <div class="field-grid">
                    <TextField form=form name="alerts" label="Tell at (% of the amount)" value=self.alerts input=Input::Code/>
                    <SelectField form=form name="when_unavailable" label="When nodes cannot ask what was spent"
                        value=self.when_unavailable options=fixed(&UNAVAILABLE)/>
                    <SelectField form=form name="unpriced" label="Requests without a known price" value=self.unpriced options=fixed(&UNPRICED)/>
                    {carry_over}
                </div>
            </details>
        }
        .into_any()
    }
}

fn word<T: Copy>(all: &[T], name: fn(T) -> &'static str, text: &str) -> Option<T> {
    all.iter().copied().find(|one| name(*one) == text)
}

/// Whether another window follows this one.
fn has_next(window: &str) -> bool {
    !matches!(window, "rolling" | "total")
}

const fn window_word(window: BudgetWindow) -> &'static str {
    match window {
        BudgetWindow::Hour => "hour",
        BudgetWindow::Day => "day",
        BudgetWindow::Week => "week",
        BudgetWindow::Month => "month",
        BudgetWindow::FiscalMonth { .. } => "fiscal_month",
        BudgetWindow::Rolling(_) => "rolling",
        BudgetWindow::Total => "total",
    }
}

const fn action_word(action: &BudgetAction) -> &'static str {
    match action {
        BudgetAction::Block => "block",
        BudgetAction::Warn => "warn",
        BudgetAction::Ask => "ask",
        BudgetAction::Downgrade(_) => "downgrade",
    }
}

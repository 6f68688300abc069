//! How much may be spent, and how fast.

use gatewright_types::Permission::{BudgetsAsk, BudgetsRead, BudgetsWrite};

use super::{Route, delete, get, needs, patch, post};
use crate::api::{budgets, limits};

pub(super) fn routes() -> Vec<Route> {
    vec![
        needs(
            BudgetsRead,
            get(below!("/budgets")),
            "List budgets and how they stand",
            budgets::list,
        ),
        needs(BudgetsWrite, post(below!("/budgets")), "Make a budget", budgets::create),
        needs(
            BudgetsRead,
            get(below!("/budgets/{budget}")),
            "Read a budget and how it stands",
            budgets::read,
        ),
        needs(
            BudgetsRead,
            get(below!("/budgets/{budget}/course")),
            "What was spent of a budget in the course of its window",
            budgets::course,
        ),
        needs(
            BudgetsRead,
            get(below!("/budgets/{budget}/explain")),
            "Why a budget stands where it stands, and how far beyond its cap it may end",
            budgets::explain,
        ),
        needs(
            BudgetsWrite,
            patch(below!("/budgets/{budget}")),
            "Change all of a budget but its scope",
            budgets::update,
        ),
        needs(
            BudgetsWrite,
            delete(below!("/budgets/{budget}")),
            "Delete a budget",
            budgets::delete,
        ),
        needs(
            BudgetsRead,
            get(below!("/budgets/{budget}/alerts")),
            "What was reached of a budget, the newest first",
            budgets::alerts,
        ),
        needs(
            BudgetsWrite,
            post(below!("/budgets/{budget}/increases")),
            "Add to a budget for a while",
            budgets::increase,
        ),
        needs(
            BudgetsWrite,
            delete(below!("/budgets/{budget}/increases/{increase}")),
            "End what was added to a budget",
            budgets::end_increase,
        ),
        needs(
            BudgetsAsk,
            post(below!("/budgets/{budget}/requests")),
            "Ask for more of a budget",
            budgets::ask,
        ),
        needs(
            BudgetsRead,
            get(below!("/budget-requests")),
            "List who asked for more, the newest first",
            budgets::requests,
        ),
        needs(
            BudgetsWrite,
            post(below!("/budget-requests/{ask}/decision")),
            "Approve or deny what somebody asked for",
            budgets::decide,
        ),
        needs(BudgetsRead, get(below!("/limits")), "List limits", limits::list),
        needs(BudgetsWrite, post(below!("/limits")), "Make a limit", limits::create),
        needs(
            BudgetsRead,
            get(below!("/limits/{limit}")),
            "Read a limit",
            limits::read,
        ),
        needs(
            BudgetsWrite,
            patch(below!("/limits/{limit}")),
            "Change all of a limit but its scope",
            limits::update,
        ),
        needs(
            BudgetsWrite,
            delete(below!("/limits/{limit}")),
            "Delete a limit",
            limits::delete,
        ),
    ]
}

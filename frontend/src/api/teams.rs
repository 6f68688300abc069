//! Teams.

use gatewright_types::api::{NewTeam, Team, TeamChange};
use gatewright_types::{Page, TeamId};

use super::{Pending, body, longest_page, page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) fn teams(self, cursor: Option<String>) -> Pending<Page<Team>> {
        self.api.get(with_query(&self.path("teams"), &page(cursor)))
    }

    /// The teams to choose from.
    pub(crate) fn team_choices(self) -> Pending<Page<Team>> {
        self.api.get(with_query(&self.path("teams"), &longest_page()))
    }

    pub(crate) fn create_team(self, team: &NewTeam) -> Pending<Team> {
        self.api.post(self.path("teams"), body(team))
    }

    pub(crate) fn change_team(self, team: TeamId, change: &TeamChange) -> Pending<Team> {
        self.api.patch(self.path(&format!("teams/{team}")), body(change))
    }

    pub(crate) fn delete_team(self, team: TeamId) -> Pending<()> {
        self.api.delete(self.path(&format!("teams/{team}")))
    }
}

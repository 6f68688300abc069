//! Teams.

use gatewright_types::api::{NewTeam, Team, TeamChange};
use gatewright_types::{Page, TeamId};

use super::{Answer, body, longest_page, page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) async fn teams(self, cursor: Option<String>) -> Answer<Page<Team>> {
        self.api.get(with_query(&self.path("teams"), &page(cursor))).await
    }

    /// The teams to choose from.
    pub(crate) async fn team_choices(self) -> Answer<Page<Team>> {
        self.api.get(with_query(&self.path("teams"), &longest_page())).await
    }

    pub(crate) async fn create_team(self, team: &NewTeam) -> Answer<Team> {
        self.api.post(self.path("teams"), body(team)).await
    }

    pub(crate) async fn change_team(self, team: TeamId, change: &TeamChange) -> Answer<Team> {
        self.api.patch(self.path(&format!("teams/{team}")), body(change)).await
    }

    pub(crate) async fn delete_team(self, team: TeamId) -> Answer<()> {
        self.api.delete(self.path(&format!("teams/{team}"))).await
    }
}

//! First run.

use gatewright_types::api::{Me, NewInstallation, SetupState};

use super::{Answer, Api, body};

impl Api {
    pub(crate) async fn setup_state(self) -> Answer<SetupState> {
        self.get("setup".to_owned()).await
    }

    pub(crate) async fn set_up(self, installation: &NewInstallation) -> Answer<Me> {
        self.post("setup".to_owned(), body(installation)).await
    }
}

//! First run.

use gatewright_types::api::{Me, NewInstallation, SetupState};

use super::{Api, Pending, body};

impl Api {
    pub(crate) fn setup_state(self) -> Pending<SetupState> {
        self.get("setup".to_owned())
    }

    pub(crate) fn set_up(self, installation: &NewInstallation) -> Pending<Me> {
        self.post("setup".to_owned(), body(installation))
    }
}

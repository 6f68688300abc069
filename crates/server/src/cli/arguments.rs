//! The arguments of all commands. Each setting of the server is a flag of the same name as its variable.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches, Parser, Subcommand};
use gatewright_types::Slug;

use super::explain::Explain;
use super::ledger::Ledger;
use crate::env::{self, Strings, VARIABLES};
use crate::welcome::Welcome;

/// An LLM gateway: one address for all providers, with keys, budgets and a ledger.
#[derive(Debug, Parser)]
#[command(name = "gatewright", version, args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) serve: Serve,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the server (what happens without a command, too).
    Serve(Serve),
    /// Bring the database up to this release, and end.
    Migrate(Migrate),
    /// Print the JSON Schema of the configuration file.
    Schema {
        /// That of a file of assertions instead.
        #[arg(long)]
        assertions: bool,
    },
    /// Check a configuration file, and the assertions it is held to, without talking to anybody.
    Validate {
        /// The file; `-` reads standard input.
        #[arg(short, long)]
        file: PathBuf,
        /// What it is held to; NAME.assertions.yaml beside it when absent.
        #[arg(long)]
        assertions: Option<PathBuf>,
    },
    /// Tell where a request would go by a configuration file, without talking to anybody.
    Explain(Explain),
    /// Tell what applying a file would change. Exit code 2: something.
    Plan(Plan),
    /// Make an organization's configuration what a file says.
    Apply(Change),
    /// Print an organization's configuration as a file.
    Export(Export),
    /// What was used, and the books kept of it: prove them, explain budgets, charge months, price anew.
    #[command(subcommand)]
    Ledger(Ledger),
}

/// The server's settings that were given as flags.
#[derive(Debug, Clone, Default)]
pub(super) struct Serve {
    settings: BTreeMap<&'static str, String>,
    welcome: Option<Welcome>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Migrate {
    /// The database; GATEWRIGHT_DATABASE_URL when absent.
    #[arg(long)]
    pub(super) database_url: Option<String>,
    /// Where the database file is when no database is named.
    #[arg(long)]
    pub(super) data_dir: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Change {
    /// The configuration file; `-` reads standard input.
    #[arg(short, long)]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) remote: Remote,
    /// Print the reports as JSON.
    #[arg(long, value_parser = json, num_args = 0, default_missing_value = "", default_value = "text")]
    pub(super) json: Form,
}

#[derive(Debug, clap::Args)]
pub(super) struct Plan {
    #[command(flatten)]
    pub(super) change: Change,
    /// What the file is held to; NAME.assertions.yaml beside it when absent.
    #[arg(long)]
    pub(super) assertions: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Export {
    #[command(flatten)]
    pub(super) place: Place,
    /// Print JSON instead of YAML.
    #[arg(long, value_parser = json, num_args = 0, default_missing_value = "", default_value = "text")]
    pub(super) json: Form,
}

/// Which organization of which control plane.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    #[command(flatten)]
    pub(super) remote: Remote,
    /// The organization's short name; not needed with a token, which belongs to one.
    #[arg(long)]
    pub(super) organization: Option<Slug>,
}

/// Which control plane, and as whom.
#[derive(Debug, clap::Args)]
pub(super) struct Remote {
    /// Address of the control plane; GATEWRIGHT_URL when absent, else http://127.0.0.1:8080.
    #[arg(long)]
    pub(super) url: Option<String>,
    /// Control-plane token (gwt-…); better in GATEWRIGHT_TOKEN, where other people on the machine cannot see it.
    #[arg(long)]
    pub(super) token: Option<String>,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    ForPeople,
    Json,
}

pub(super) fn json(text: &str) -> Result<Form, String> {
    match text {
        "" => Ok(Form::Json),
        "text" => Ok(Form::ForPeople),
        _ => Err("takes no value".to_owned()),
    }
}

impl Serve {
    /// The environment with the flags laid over it.
    pub(super) fn over(&self, environment: Strings) -> Strings {
        self.settings
            .iter()
            .fold(environment, |strings, (name, value)| strings.with(name, value.clone()))
    }

    pub(super) fn welcome(&self) -> Welcome {
        self.welcome.unwrap_or(Welcome::Nothing)
    }
}

impl Args for Serve {
    fn augment_args(command: clap::Command) -> clap::Command {
        let settings = VARIABLES.iter().map(|(name, flag, help)| {
            Arg::new(*name)
                .long(*flag)
                .value_name("VALUE")
                .help(format!("{help} [{name}]"))
        });
        let welcome = Arg::new("welcome")
            .long("welcome")
            .action(ArgAction::SetTrue)
            .help("greet a person: print the address, the setup link and a first call that works");
        command.args(settings).arg(welcome)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Serve {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |name: &'static str| matches.get_one::<String>(name).map(|value| (name, value.clone()));
        let settings = VARIABLES.iter().filter_map(|(name, ..)| given(name)).collect();
        let welcome = matches.get_flag("welcome").then_some(Welcome::Playground);
        Ok(Self { settings, welcome })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Remote {
    pub(super) fn url<'a>(&'a self, environment: &'a Strings) -> &'a str {
        self.url
            .as_deref()
            .or_else(|| environment.text(env::URL))
            .unwrap_or("http://127.0.0.1:8080")
    }

    pub(super) fn token<'a>(&'a self, environment: &'a Strings) -> Option<&'a str> {
        self.token.as_deref().or_else(|| environment.text(env::TOKEN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_a_flag_of_its_name() {
        let arguments = Arguments::try_parse_from([
            "gatewright",
            "serve",
            "--listen",
            "127.0.0.1:9",
            "--data-dir",
            "/x",
            "--role",
            "all",
            "--welcome",
        ])
        .expect("they are known");

        let Some(Command::Serve(serve)) = arguments.command else {
            panic!("it is serve")
        };
        assert_eq!(serve.welcome(), Welcome::Playground);
        let settings = env::read(&serve.over(Strings::from([("GATEWRIGHT_LISTEN", "127.0.0.1:1")]))).expect("right");
        assert_eq!(settings.listen.port(), 9);
        assert_eq!(settings.data_directory, PathBuf::from("/x"));
    }

    #[test]
    fn flags_are_named_after_their_variables() {
        for (name, flag, _) in VARIABLES {
            assert_eq!(name, format!("GATEWRIGHT_{}", flag.replace('-', "_").to_uppercase()));
        }
    }

    #[test]
    fn without_a_command_the_server_is_meant() {
        let arguments = Arguments::try_parse_from(["gatewright", "--keepalive", "1s"]).expect("they are known");

        assert!(arguments.command.is_none());
        assert_eq!(
            arguments.serve.settings,
            BTreeMap::from([("GATEWRIGHT_KEEPALIVE", "1s".to_owned())])
        );
    }

    #[test]
    fn json_is_a_switch() {
        let form = |more: &[&str]| {
            let words = ["gatewright", "plan", "-f", "x"].iter().chain(more);
            match Arguments::try_parse_from(words).expect("they are known").command {
                Some(Command::Plan(plan)) => plan.change.json,
                other => panic!("{other:?}"),
            }
        };

        assert_eq!((form(&[]), form(&["--json"])), (Form::ForPeople, Form::Json));
    }

    #[test]
    fn the_definition_of_the_arguments_is_sound() {
        use clap::CommandFactory as _;

        Arguments::command().debug_assert();
    }
}

//! `flakedb mock`: a mock Ollama server for tests in any language.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::AsyncReadExt as _;

use crate::testkit::mock_server::fault::{Decisions, chaos};
use crate::testkit::mock_server::record::Upstream;
use crate::testkit::mock_server::stub::RuleFile;
use crate::testkit::mock_server::timing::{Span, Timing};
use crate::testkit::mock_server::{Builder, MockOllama};

use super::console::Console;
use super::exit;
use super::failure::Failure;

/// Serve a mock Ollama: faithful, deterministic, and cruel on request
///
/// Answers the whole API of Ollama, and its OpenAI and Anthropic compatible routes, without a model:
/// from rules, from the schema or the tools of the request, or with useful default replies. Breaks
/// answers as --chaos or the rules say. Every decision derives from --seed and the request, never
/// from the order of arrival, so a failing test fails again. Only what a rule itself counts goes by
/// order (its list of replies, its `times`, its states), unless it says `per = "request"`.
///
/// Ready when GET / answers; the first line on standard output says where. It listens on loopback
/// unless --host says otherwise. Stubs, faults and the journal are at /__admin/ while it runs.
/// SIGTERM and Ctrl-C end it at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb mock                                  on 127.0.0.1:11434, as Ollama itself
  flakedb mock --port 0 --auto                  any free port; answers fit `format` and `tools`
  flakedb mock --rules rules.toml --strict      only what the rules say
  flakedb mock --chaos framing --seed 7         lines split and joined, never changed
  flakedb mock --chaos overload,flaky-network   503s, 429s, resets, stalls, cuts
  flakedb mock --record http://127.0.0.1:11434 --cassette chat.json
  flakedb mock --rules chat.json --strict       answers again what was recorded")]
pub struct Args {
    /// The port; 0 takes any that is free
    #[arg(long, short, value_name = "P", default_value_t = 11434)]
    port: u16,
    /// The address to listen on; any but loopback lets other machines ask
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: IpAddr,
    /// Stubs, models and settings from a JSON or TOML file (may be repeated)
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,
    /// A model that the server has (may be repeated) [default: a small list, see `GET /api/tags`]
    #[arg(long, value_name = "NAME")]
    model: Vec<String>,
    /// The model of requests that name none; the server has it
    #[arg(long, value_name = "NAME")]
    default_model: Option<String>,
    /// Answer for models that the server does not have, too
    #[arg(long)]
    any_model: bool,
    /// Without a stub, answer with an instance of the request's `format` schema, or a call of its
    /// `tools`
    #[arg(long)]
    auto: bool,
    /// Answer with an error that says which stub came nearest where no stub matches, nor --auto has
    /// an answer
    #[arg(long)]
    strict: bool,
    /// What every decision derives from [default: 0]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Break answers: framing, overload, flaky-network; several by commas, each with :PROBABILITY
    #[arg(long, value_name = "PRESET")]
    chaos: Option<String>,
    /// Decide as this journal (`GET /__admin/requests`) says, not anew
    #[arg(long, value_name = "FILE")]
    replay_decisions: Option<PathBuf>,
    /// Time before each answer: 200ms, 1.5s, milliseconds as a number, or drawn, as
    /// uniform:100ms,300ms and lognormal:200ms,0.5 (median, sigma)
    #[arg(long, value_name = "TIME")]
    latency: Option<Span>,
    /// Time to the first token, from there, in the same spellings
    #[arg(long, value_name = "TIME")]
    first_token: Option<Span>,
    /// Speed of a stream after its first token
    #[arg(long, value_name = "N", value_parser = positive)]
    tokens_per_second: Option<f64>,
    /// Pass what no rule answers on to this server, and record what it says
    #[arg(
        long,
        value_name = "URL",
        requires = "cassette",
        conflicts_with_all = ["auto", "strict", "chaos", "latency", "first_token", "tokens_per_second"]
    )]
    record: Option<String>,
    /// Where to write what was recorded: a file for --rules
    #[arg(long, value_name = "FILE", requires = "record")]
    cassette: Option<PathBuf>,
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Refuse bodies of more bytes with 413
    #[arg(long, value_name = "BYTES", default_value_t = crate::testkit::mock_server::BODY_BYTES_MAX)]
    max_body: usize,
    /// Answer whatever Host a request names; Ollama refuses foreign ones
    #[arg(long)]
    any_host: bool,
    /// End when standard input ends: with the process that started this one
    #[arg(long)]
    until_stdin_ends: bool,
}

fn positive(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|number| number.is_finite() && *number > 0.0)
        .ok_or_else(|| "must be a number above 0".to_owned())
}

/// How often a cassette that has grown is written while the server runs.
const CASSETTE_PAUSE: Duration = Duration::from_secs(1);

/// Serves until it is told to end.
///
/// # Errors
/// Where a file cannot be read, the port cannot be opened, or the cassette cannot be written.
pub fn run(args: &Args, console: &Console) -> Result<u8, Failure> {
    if let Some(path) = &args.cassette {
        // What cannot be written is known before anything is recorded.
        console.deliver("{\n  \"stubs\": []\n}\n", Some(path)).map_err(Failure::input)?;
    }
    let server = start(args)?;
    console.print(&format!("listening on {}\n", server.url())).map_err(anyhow::Error::from)?;
    if !args.host.is_loopback() {
        console.warn(&format!(
            "{} is no loopback address: whoever reaches it may ask, and change what it answers",
            args.host
        ));
    }
    let mut written = 0;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot wait for signals")?;
    runtime.block_on(async {
        let ended = told_to_end(args.until_stdin_ends);
        tokio::pin!(ended);
        loop {
            tokio::select! {
                result = &mut ended => return result,
                () = tokio::time::sleep(CASSETTE_PAUSE) => {
                    write_cassette(args, &server, console, &mut written)?;
                    if server.has_ended() {
                        return Ok(());
                    }
                }
            }
        }
    })?;
    // Standard input is read on a thread that may wait for ever.
    runtime.shutdown_background();
    write_cassette(args, &server, console, &mut written)?;
    if args.cassette.is_some() {
        let again = if written == 1 { "answer" } else { "answers" };
        console.note(&format!("recorded {written} {again}; --rules plays them"));
    }
    server.stop().map_err(|error| Failure::input(anyhow::Error::from(error)))?;
    Ok(exit::FINE)
}

fn start(args: &Args) -> Result<MockOllama, Failure> {
    let mut builder = MockOllama::builder().host(args.host).port(args.port).models(&args.model);
    if let Some(name) = &args.default_model {
        builder = builder.default_model(name);
    }
    builder = builder.threads(threads(args)).body_bytes_max(args.max_body);
    for path in &args.rules {
        builder = builder.rules(RuleFile::read(path).map_err(Failure::input)?);
    }
    builder = settings(args, builder)?;
    builder.start().map_err(|error| Failure::input(anyhow::Error::from(error)))
}

/// What flags say wins over what files say.
fn settings(args: &Args, mut builder: Builder) -> Result<Builder, Failure> {
    if let Some(seed) = args.seed {
        builder = builder.seed(seed);
    }
    if args.any_model {
        builder = builder.any_model();
    }
    if args.auto {
        builder = builder.auto();
    }
    if args.strict {
        builder = builder.strict();
    }
    if args.any_host {
        builder = builder.any_host();
    }
    builder = builder.timing(&Timing {
        latency: args.latency.clone(),
        first_token: args.first_token.clone(),
        per_token: args.tokens_per_second.map(|rate| Span::Fixed(per_token(rate))),
        jitter: None,
    });
    if let Some(text) = &args.chaos {
        for rule in chaos(text).map_err(|error| Failure::usage(anyhow::Error::from(error)))? {
            builder = builder.fault(rule);
        }
    }
    if let Some(path) = &args.replay_decisions {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {shown}"))
            .map_err(Failure::input)?;
        let decisions = Decisions::from_journal(&text)
            .with_context(|| format!("{shown}"))
            .map_err(Failure::input)?;
        builder = builder.decisions(decisions);
    }
    if let Some(url) = &args.record {
        let upstream: Upstream =
            url.parse().map_err(|error| Failure::usage(anyhow::Error::new(error)))?;
        builder = builder.record(upstream);
    }
    Ok(builder)
}

fn threads(args: &Args) -> usize {
    args.threads.map_or_else(
        || std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        usize::from,
    )
}

fn per_token(tokens_per_second: f64) -> Duration {
    Duration::try_from_secs_f64(1.0 / tokens_per_second).unwrap_or(Duration::MAX)
}

/// Waits for SIGTERM, Ctrl-C, or the end of standard input.
async fn told_to_end(until_stdin_ends: bool) -> anyhow::Result<()> {
    let stdin_ends = async {
        if !until_stdin_ends {
            return std::future::pending().await;
        }
        let (mut input, mut unread) = (tokio::io::stdin(), [0; 4096]);
        while input.read(&mut unread).await.is_ok_and(|read| read > 0) {}
    };
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate()).context("cannot hear SIGTERM")?;
        tokio::select! {
            heard = interrupted => heard.context("cannot hear Ctrl-C")?,
            _ = terminated.recv() => {}
            () = stdin_ends => {}
        }
    }
    #[cfg(not(unix))]
    tokio::select! {
        heard = interrupted => heard.context("cannot hear Ctrl-C")?,
        () = stdin_ends => {}
    }
    Ok(())
}

/// Writes the cassette where it has grown.
fn write_cassette(
    args: &Args,
    server: &MockOllama,
    console: &Console,
    written: &mut usize,
) -> anyhow::Result<()> {
    let (Some(path), Some(cassette)) = (&args.cassette, server.cassette()) else { return Ok(()) };
    let answers = cassette.recorded().map(|(_, tapes)| tapes.len()).sum();
    if *written != answers {
        let mut text = serde_json::to_string_pretty(&cassette.to_rules())?;
        text.push('\n');
        console.deliver(&text, Some(path))?;
        *written = answers;
    }
    Ok(())
}

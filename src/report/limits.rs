//! How much one screen shows, named, with the reason. What is left out is always counted.

/// Rows of the test table on a terminal; beyond that nobody scrolls, and JSON has them all.
pub const TERMINAL_TESTS_MAX: usize = 200;
/// Disputes shown on a terminal: a screenful or two, the most disputed; JSON has them all.
pub const DISPUTES_SHOWN_MAX: usize = 20;
/// Names of tests for which methods say the very same.
pub const ALIKE_SHOWN_MAX: usize = 3;
/// Runs in the timeline of one test: with the rest about one screen.
pub const TIMELINE_ROWS_MAX: usize = 15;
/// Distinct failures shown for one test.
pub const FAILURES_SHOWN_MAX: usize = 10;
/// Lines of one failure's text: a stack trace's two ends fit, a log does not.
pub const FAILURE_LINES_MAX: usize = 16;
/// Characters of one line of failure text.
pub const FAILURE_LINE_CHARS_MAX: usize = 400;
/// Characters of a headline or message inside a table.
pub const HEADLINE_CHARS_MAX: usize = 300;
/// Characters of a name inside a table; real names stay below, and `show` prints all of it.
pub const NAME_CHARS_MAX: usize = 1_000;
/// Longest name column where no terminal limits the width.
pub const NAME_COLUMN_PIPED_MAX: u16 = 200;
/// Narrowest name column there: what stands below a name is still text and no pole of words.
pub const NAME_COLUMN_PIPED_MIN: u16 = 30;
/// Longest name that is worth typing back; beyond it hints use the test's id.
pub const HINT_NAME_CHARS_MAX: usize = 200;
/// Lines of the difference between two texts of one kind of failure: enough to see what it is.
pub const DIFFERENCE_LINES_MAX: usize = 12;
/// Changes of one verdict that are listed, the latest: with more it only flickers.
pub const STATUS_CHANGES_MAX: usize = 10;
/// Breakages of one test that are listed, the latest.
pub const BREAKAGES_SHOWN_MAX: usize = 5;
/// Events of the quarantine list shown for one test, the latest.
pub const LIST_EVENTS_SHOWN_MAX: usize = 10;
/// Characters of a branch in the timeline.
pub const BRANCH_CHARS_MAX: usize = 30;
/// Characters of a build or job in the timeline.
pub const BUILD_CHARS_MAX: usize = 20;
/// Files with problems shown after an ingest.
pub const PROBLEMS_SHOWN_MAX: usize = 50;
/// Tests of one kind shown by the gate; beyond that the run broke, and JSON has them all.
pub const GATE_TESTS_SHOWN_MAX: usize = 30;
/// Expected tests shown that did not run.
pub const GATE_MISSING_SHOWN_MAX: usize = 20;
/// Annotations of one kind: GitHub shows 10 of each kind a step.
pub const ANNOTATIONS_MAX: usize = 10;
/// Warnings shown for one file.
pub const WARNINGS_SHOWN_MAX: usize = 20;
/// Characters of an element's path; of a longer one the two ends are shown.
pub const PATH_CHARS_MAX: usize = 160;
/// Outages listed below a report.
pub const OUTAGES_SHOWN_MAX: usize = 5;
/// Regressions that a rule hides, listed below a back-test.
pub const BACKTEST_HIDDEN_SHOWN_MAX: usize = 10;
/// Tests that a rule calls flaky, listed below a back-test: with the table about two screens.
pub const BACKTEST_FLAGS_SHOWN_MAX: usize = 20;
/// Other tests named where a typed name matched several.
pub const OTHERS_SHOWN_MAX: usize = 10;
/// Marks of a strip in the test table where there is room for more.
pub const STRIP_COLUMN_MAX: usize = 40;
/// Marks of a strip in the narrowest table that has a column for it.
pub const STRIP_COLUMN_WIDE_MIN: usize = 26;
/// Marks of a strip where no terminal limits the width.
pub const STRIP_COLUMN_PIPED_MAX: usize = 40;
/// Width assumed where nothing says how wide the output is.
pub const PIPED_WIDTH: u16 = 120;
/// Narrowest width laid out for; anything narrower wraps on the terminal's side.
pub const WIDTH_MIN: u16 = 40;
/// Characters of a paragraph that is laid out; breaking a longer word takes quadratic time.
pub const PARAGRAPH_CHARS_MAX: usize = 2_000;
/// Widest layout; beyond it lines are too long to follow by eye.
pub const WIDTH_MAX: u16 = 300;
/// Characters of owners and the like inside a table.
pub const FIELD_CHARS_MAX: usize = 60;
/// Bytes of one Markdown document: GitHub refuses comments beyond 65,536 characters, which take a
/// byte at least, and job summaries beyond 1 MiB.
pub const MARKDOWN_BYTES_MAX: usize = 65_000;
/// Characters of one foreign text in Markdown, each up to six bytes there.
pub const MARKDOWN_TEXT_CHARS_MAX: usize = 1_000;
/// Characters of a name in Markdown, so that one hostile name cannot use up the document.
pub const MARKDOWN_NAME_CHARS_MAX: usize = 300;
/// Characters of a revision that people compare by eye.
pub const REVISION_CHARS: usize = 10;
/// Changes of one kind listed on a terminal; more than a budget holds, so that most lists fit.
pub const CHANGES_SHOWN_MAX: usize = 100;
/// Bytes of an HTML page: CI shows artifacts of this size at once, and mail takes them.
pub const HTML_BYTES_MAX: usize = 1_000_000;
/// Bytes of its worst tests one by one; what is left belongs to the table of all tests.
pub const HTML_COURSES_BYTES_MAX: usize = 150_000;
/// Bytes of its failures that look alike, with their examples.
pub const HTML_CLUSTERS_BYTES_MAX: usize = 100_000;
/// Rows of its heat map: about one screen.
pub const HTML_HEAT_ROWS_MAX: usize = 30;
/// Facts and hints told of one test there.
pub const HTML_FACTS_MAX: usize = 12;
/// Rows of its smaller tables; each says how many it leaves out.
pub const HTML_ROWS_MAX: usize = 30;
/// Rows of one table of an answer on a terminal: a screenful; JSON has them all.
pub const SHEET_ROWS_MAX: usize = 20;
/// Tests named in one row of an answer.
pub const SHEET_NAMES_MAX: usize = 3;
/// Characters of one failure's text in JUnit XML: a long stack trace fits, a log does not.
pub const JUNIT_TEXT_CHARS_MAX: usize = 16_000;
/// Tests with Prometheus series of their own: a dozen series each, so a few thousand in all.
pub const PROMETHEUS_TESTS_MAX: usize = 200;
/// Characters of a label of Prometheus.
pub const PROMETHEUS_LABEL_CHARS_MAX: usize = 200;

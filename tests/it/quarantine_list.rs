//! The list as a team reviews it: `quarantine.toml` from its first entry to its last.

use crate::command::{Said, Sandbox, project, report};

const TODAY: &str = "2026-11-26";

fn demo() -> Sandbox {
    let sandbox = Sandbox::new();
    let demo = project("fixtures/demo");
    sandbox.run(&["ingest", demo.to_str().unwrap()]).exits(0);
    sandbox
}

fn quarantine(sandbox: &Sandbox, more: &[&str]) -> Said {
    sandbox.run(&[&["quarantine"], more].concat())
}

fn update(sandbox: &Sandbox, more: &[&str]) -> Said {
    quarantine(sandbox, &[&["update", "--today", TODAY], more].concat())
}

fn list(sandbox: &Sandbox) -> String {
    std::fs::read_to_string(sandbox.path("quarantine.toml")).unwrap()
}

#[test]
fn a_list_is_proposed_written_and_then_what_counts() {
    let sandbox = demo();
    let plan = update(&sandbox, &["--format", "json"]).exits(0).json();
    assert_eq!(plan["schema"], "flakedb.quarantine-update.v1");
    assert_eq!(plan["state"], "proposed");
    assert_eq!(plan["changes"].as_array().unwrap().len(), 4);
    assert!(!sandbox.path("quarantine.toml").exists(), "a plan writes nothing");

    let by_policy = quarantine(&sandbox, &["--emit"]).exits(0).stdout;
    quarantine(&sandbox, &["--emit", "toml", "-o", "start.toml"]).exits(0);
    let started = quarantine(&sandbox, &["--list", "start.toml", "--format", "json"]);
    assert_eq!(started.exits(0).json()["entries"].as_array().unwrap().len(), 5);
    let written = update(&sandbox, &["--apply", "--format", "json"]).exits(0).json();
    assert_eq!(written["state"], "written");
    insta::assert_snapshot!("quarantine_toml", list(&sandbox));
    let again = update(&sandbox, &["--format", "json"]).exits(0).json();
    assert_eq!(again["changes"], serde_json::json!([]));
    assert_eq!(again["kept"], 4);

    // The list now emits what the policy did, by the file's order.
    let at = ["--emit", "--today", TODAY];
    let sorted = |text: &str| {
        // The policy names a test once for each cell, the file once for all.
        let mut lines: Vec<String> =
            text.lines().map(|line| line.split(" [store=").next().unwrap().to_owned()).collect();
        lines.sort();
        lines.dedup();
        lines
    };
    let by_file = quarantine(&sandbox, &at).exits(0).stdout;
    assert_eq!(sorted(&by_file), sorted(&by_policy));
    let late = quarantine(&sandbox, &["--emit", "--today", "2026-12-10"]).exits(0).stdout;
    assert_eq!(late, "", "what has expired is not left out any more");

    let shown =
        quarantine(&sandbox, &["--today", "2026-11-29", "--format", "json"]).exits(0).json();
    assert_eq!(shown["schema"], "flakedb.quarantine.v1");
    assert_eq!(shown["entries"][0]["age_days"], 3);
    assert_eq!(shown["entries"][0]["days_left"], 11);
    assert_eq!(shown["entries"][0]["now"]["status"], "flaky");
}

#[test]
fn comments_and_order_survive_every_edit() {
    let sandbox = demo();
    sandbox.write("flakedb.toml", "");
    let by_hand = "# ours\n\n# keep me\n[[entry]]\nticket = \"T-1\" # see wiki\n\
                   test = \"shop-worker::tests::lease::is_renewed_while_working\"\n\
                   expires = 2026-11-28\n\n[[never]]\npattern = \"*badge*\"\nreason = \"r\"\n";
    sandbox.write("quarantine.toml", by_hand);
    update(&sandbox, &["--apply"]).exits(0);
    let after = list(&sandbox);
    let extended = by_hand.split("[[never]]").next().unwrap().replace("2026-11-28", "2026-12-10");
    assert!(after.starts_with(extended.trim_end()), "{after}");
    assert!(after.ends_with("\n\n[[never]]\npattern = \"*badge*\"\nreason = \"r\"\n"), "{after}");
    assert_eq!(after.matches("[[entry]]").count(), 3, "a rule keeps the fourth off: {after}");
    // From below, the same list is found.
    std::fs::create_dir_all(sandbox.path("deep/er")).unwrap();
    let mut below = sandbox.command(&["quarantine", "--format", "json", "--today", TODAY]);
    below.current_dir(sandbox.path("deep/er"));
    let below = crate::command::finish(below).exits(0).json();
    assert_eq!(below["entries"].as_array().unwrap().len(), 3);
    assert_eq!(below["rules"][0]["rule"], "never");
}

#[test]
fn a_person_adds_and_removes() {
    let sandbox = demo();
    let add = |more: &[&str]| quarantine(&sandbox, &[&["add", "--today", TODAY], more].concat());
    let told = ["test_confirmation_mail_leaves", "--reason", "mail server", "--ticket", "S-1"];
    let said = add(&[&told[..], &["--owner", "@a/b", "--variant", "store=memory"]].concat());
    let said = said.exits(0);
    assert!(said.stdout.contains("1 enters"), "{said:?}");
    let text = list(&sandbox);
    assert!(
        text.ends_with(
            "[[entry]]\ntest = \"tests.test_orders::test_confirmation_mail_leaves\"\n\
             variant = \"store=memory\"\nowner = \"@a/b\"\nreason = \"mail server\"\n\
             ticket = \"S-1\"\nsince = 2026-11-26\nexpires = 2026-12-10\n"
        ),
        "{text}"
    );
    for (more, words) in [
        (&["test_confirmation_mail_leaves", "--variant", "store=memory"][..], "already, in line 4"),
        (&["has no decimals in yen"], "is broken, not flaky"),
        (&["is_renewed_while_working", "--expires", "2026-11-26"], "would have expired already"),
        (&["is_renewed_while_working", "--set", "quarantine.cap-tests=1"], "its budget is 1"),
    ] {
        let said = add(more).exits(1);
        assert!(said.stderr.contains(words), "{words}: {said:?}");
    }
    add(&["no such thing at all"]).exits(2);
    let said = add(&["renewed working"]).exits(2);
    let meant = "did you mean `shop-worker::tests::lease::is_renewed_while_working`?";
    assert!(said.stderr.contains(meant), "{said:?}");
    assert_eq!(list(&sandbox), text, "what is refused changes nothing");
    // What a screen prints with its cell means that cell.
    let printed = "tests.test_orders.TestWebhooks::test_delivery_order[2 shops] [store=sqlite]";
    add(&[printed]).exits(0);
    assert!(list(&sandbox).contains("test_delivery_order[2 shops]\"\nvariant = \"store=sqlite\""));
    quarantine(&sandbox, &["remove", "test_delivery_order[2 shops]"]).exits(0);
    add(&["--pattern", "shop-worker::*", "--expires", "2027-01-01"]).exits(0);
    assert!(
        list(&sandbox)
            .contains("pattern = \"shop-worker::*\"\nsince = 2026-11-26\nexpires = 2027-01-01")
    );
    let said = quarantine(&sandbox, &["remove", "test_mail"]).exits(2);
    assert!(said.stderr.contains("has no entry for `test_mail`"), "{said:?}");
    quarantine(&sandbox, &["remove", "shop-worker::*"]).exits(0);
    assert_eq!(list(&sandbox), text);
    quarantine(&sandbox, &["remove", "test_confirmation_mail_leaves", "--variant", "os=x"])
        .exits(2);
    quarantine(&sandbox, &["remove", "test_confirmation_mail_leaves"]).exits(0);
    assert!(!list(&sandbox).contains("[[entry]]"));
}

#[test]
fn lint_names_file_line_and_code_with_and_without_a_history() {
    let sandbox = demo();
    let lint = |more: &[&str]| quarantine(&sandbox, &[&["lint", "--today", TODAY], more].concat());
    lint(&[]).exits(2);
    sandbox.write(
        "quarantine.toml",
        "[[entry]]\ntest = \"tests.test_orders::test_confirmation_mail_leaves\"\n\
         reason = \"r\"\nexpires = 2026-11-01\n\n[[entry]]\ntest = \"tests.test_orders::test_confirmation\"\n\
         owner = \"@a\"\nticket = \"T\"\nreason = \"r\"\nexpires = 2026-12-01\n",
    );
    let found = lint(&["--format", "json"]).exits(1).json();
    assert_eq!(found["schema"], "flakedb.quarantine-lint.v1");
    let codes: Vec<String> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{}:{}", one["line"], one["code"].as_str().unwrap()))
        .collect();
    assert_eq!(codes, ["1:expired", "1:no-owner", "1:no-ticket", "6:unmatched"]);
    let text = lint(&[]).exits(1).stdout;
    assert!(text.contains("quarantine.toml:1: expired: It expired on 2026-11-01"), "{text}");
    assert!(
        text.contains(
            "write it as it is printed: tests.test_orders::test_confirmation_mail_leaves"
        ),
        "{text}"
    );
    let github = lint(&["--github"]).exits(1).stdout;
    assert!(github.starts_with("::error file=quarantine.toml,line=1,title="), "{github}");
    let allowed =
        ["--set", "quarantine.allow=[\"expired\",\"no-owner\",\"no-ticket\",\"unmatched\"]"];
    lint(&allowed).exits(0);
    // A fork has the list alone.
    let alone = Sandbox::new();
    alone.write("quarantine.toml", list(&sandbox));
    let said = alone.run(&["quarantine", "lint", "--today", TODAY]).exits(1);
    assert!(said.stdout.contains("There is no history here"), "{said:?}");
}

#[test]
fn owners_come_from_codeowners_where_none_is_named() {
    let sandbox = Sandbox::new();
    let case = |outcome: &str| {
        format!(
            "<testsuites><testsuite name=\"s\"><testcase classname=\"shop.cart\" name=\"t\" \
             file=\"shop/cart.py\">{outcome}</testcase></testsuite></testsuites>"
        )
    };
    for run in 0..8 {
        let outcome = if run % 3 == 1 { "<failure message=\"no\"/>" } else { "" };
        let path = sandbox.write(&format!("{run}.xml"), case(outcome));
        let (revision, at) = (format!("r{}", run / 2), format!("2026-11-20T0{run}:00:00Z"));
        let told = ["--revision", &revision, "--branch", "main", "--default-branch", "main"];
        let told = [&["ingest", path.to_str().unwrap(), "--started", &at], &told[..]].concat();
        sandbox.run(&[&told[..], &["--project", "p"]].concat()).exits(0);
    }
    sandbox.write("CODEOWNERS", "shop/ @acme/qa\n");
    let plan = update(&sandbox, &["--apply", "--format", "json"]).exits(0).json();
    assert_eq!(plan["changes"][0]["owner"], "@acme/qa", "{plan}");
    assert!(list(&sandbox).contains("owner = \"@acme/qa\"\n"));
    let without = list(&sandbox).replace("owner = \"@acme/qa\"\n", "ticket = \"T\"\n");
    sandbox.write("quarantine.toml", without);
    quarantine(&sandbox, &["lint", "--today", TODAY]).exits(0);
    let shown = quarantine(&sandbox, &["--today", TODAY, "--format", "json"]).exits(0).json();
    assert_eq!(shown["entries"][0]["owner"], "@acme/qa");
    sandbox.write("CODEOWNERS", "");
    let found = quarantine(&sandbox, &["lint", "--today", TODAY]).exits(1).stdout;
    assert!(found.contains("no-owner"), "{found}");
}

#[test]
fn a_list_that_makes_no_sense_is_refused_with_its_place() {
    let sandbox = demo();
    sandbox.write("quarantine.toml", "[[entry]]\ntest = \"a\"\nexpire = 2026-12-01\n");
    for command in
        [&["--emit"][..], &["update"], &["lint"], &["add", "is_renewed"], &["remove", "a"]]
    {
        let said = quarantine(&sandbox, command).exits(2);
        assert!(said.stderr.contains("quarantine.toml:3:1: unknown key `expire`"), "{said:?}");
        assert!(said.stderr.contains("did you mean `expires`?"), "{said:?}");
    }
    let said = quarantine(&sandbox, &["--list", "other.toml"]).exits(2);
    assert!(said.stderr.contains("there is no list at other.toml"), "{said:?}");
    let mut named = sandbox.command(&["quarantine"]);
    named.env("FLAKEDB_QUARANTINE", "other.toml");
    crate::command::finish(named).exits(2);
}

#[test]
fn what_is_printed_may_be_listed_and_patterns_mean_what_they_fit() {
    let sandbox = demo();
    let shown = sandbox.run(&["show", "is_renewed", "--format", "json"]).exits(0).json();
    let id = shown["id"].as_str().unwrap();
    sandbox.write(
        "quarantine.toml",
        format!(
            "[[entry]]\ntest = \"{id}\"\n[[entry]]\n\
             test = \"tests.test_orders::test_confirmation_mail_leaves [store=memory]\"\n\
             [[always]]\npattern = \"tests.test_orders::test_re*\"\nreason = \"r\"\n\
             [[never]]\npattern = \"*lease*\"\nreason = \"r\"\n[[entry]]\ntest = \"gone\"\n"
        ),
    );
    let said = quarantine(&sandbox, &["--emit", "list"]).exits(0);
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(
        lines,
        [
            "tests.test_orders::test_confirmation_mail_leaves [store=memory]",
            "tests.test_orders::test_refund"
        ]
    );
    assert!(said.stderr.contains("`gone` means no test that ran in this window"), "{said:?}");
    let linux = quarantine(&sandbox, &["--emit", "list", "--variant", "store=sqlite"]).exits(0);
    assert_eq!(linux.stdout, "tests.test_orders::test_refund\n");
}

#[test]
fn the_history_is_replayed_day_by_day_without_peeking() {
    let sandbox = demo();
    let simulate = |more: &[&str]| {
        let all = [&["simulate", "--from", "2026-11-01", "--format", "json"], more].concat();
        quarantine(&sandbox, &all).exits(0).json()
    };
    let whole = simulate(&[]);
    assert_eq!(whole["schema"], "flakedb.quarantine-simulation.v1");
    assert_eq!((&whole["until"], &whole["days"]), (&"2026-11-21".into(), &20.into()));
    assert_eq!(whole["builds_turned_green_wrongly"], 0);
    assert_eq!(whole["hidden"], serde_json::json!([]));
    assert!(whole["builds_turned_green"].as_u64() > Some(3), "{whole}");
    // What it did until a day does not depend on what came later.
    for until in ["2026-11-13", "2026-11-15", "2026-11-18"] {
        let part = simulate(&["--until", until]);
        let came = |view: &serde_json::Value| -> Vec<(String, String)> {
            let terms = view["terms"].as_array().unwrap().iter();
            terms
                .map(|term| (term["test"].to_string(), term["from"].as_str().unwrap().to_owned()))
                .filter(|(_, from)| from.as_str() < until)
                .collect()
        };
        assert_eq!(came(&part), came(&whole), "{until}");
    }
    let never = "[[never]]\npattern = \"*\"\nreason = \"r\"\n";
    sandbox.write("quarantine.toml", never);
    assert_eq!(simulate(&[])["builds_turned_green"], 0);
    let said = quarantine(&sandbox, &["simulate", "--from", "2026-11-02", "--until", "2026-11-02"]);
    assert!(said.exits(2).stderr.contains("there is no day to replay"));
}

#[test]
fn a_list_that_cannot_be_written_stays_as_it_is() {
    let sandbox = demo();
    update(&sandbox, &["--apply"]).exits(0);
    let before = list(&sandbox);
    // A directory stands where the new text would be put beside the old one.
    std::fs::create_dir_all(sandbox.path("sub")).unwrap();
    std::fs::write(sandbox.path("sub/quarantine.toml"), &before).unwrap();
    let said = quarantine(&sandbox, &["remove", "is_renewed", "--list", "sub"]).exits(3);
    assert!(said.stderr.contains("cannot read sub"), "{said:?}");
    let said = update(&sandbox, &["--apply", "--list", "none/quarantine.toml"]).exits(3);
    assert!(said.stderr.contains("cannot write none/quarantine.toml"), "{said:?}");
    assert_eq!(list(&sandbox), before);
}

#[test]
fn an_empty_history_proposes_nothing() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("report.xml", report(&[("test_a", '.')]));
    sandbox.run(&["ingest", path.to_str().unwrap(), "--project", "p"]).exits(0);
    let said = update(&sandbox, &["--apply"]).exits(0);
    assert!(said.stdout.contains("nothing to change"), "{said:?}");
    assert!(!sandbox.path("quarantine.toml").exists(), "nothing to write makes no file");
}

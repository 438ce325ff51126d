//! Homes with the testkit and without.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;

fn house(text: &str) -> House {
    let section: WorkersSection = toml::from_str(text).unwrap();
    House::new(&section, &House::run_name(), "2/4".parse().ok()).unwrap()
}

fn variables(home: &dyn Home) -> BTreeMap<String, String> {
    let text = |word: &OsString| word.to_str().unwrap().to_owned();
    home.variables().iter().map(|(name, value)| (text(name), text(value))).collect()
}

#[test]
fn every_worker_has_a_directory_of_its_own_which_is_gone_afterwards() {
    let house = house("home = true\n[env]\nDATA = \"{tmp}/data-{worker}-of-{workers}\"");
    let homes = [0, 1].map(|worker| house.enter(worker, 2).unwrap());
    let found = homes.each_ref().map(|home| variables(home.as_ref()));
    for name in [
        "TMPDIR",
        "TMP",
        "TEMP",
        "HOME",
        "USERPROFILE",
        "XDG_CONFIG_HOME",
        "DATA",
        "FLAKEDB_WORKER",
    ] {
        assert_ne!(found[0][name], found[1][name], "{name}");
    }
    assert_eq!(found[1]["DATA"], format!("{}/data-1-of-2", found[1]["TMPDIR"]));
    assert_eq!(found[0]["FLAKEDB_RUN_ID"], found[1]["FLAKEDB_RUN_ID"]);
    assert_eq!((&*found[0]["FLAKEDB_WORKERS"], &*found[0]["FLAKEDB_SHARD"]), ("2", "2/4"));
    let [home, other] = homes;
    assert!(home.shared().is_empty());
    assert_eq!(home.leave(true), None);
    assert!(!Path::new(&found[0]["TMPDIR"]).exists());
    assert!(Path::new(&found[1]["TMPDIR"]).is_dir());
    drop(other);
    assert!(!Path::new(&found[1]["TMPDIR"]).exists());
}

#[test]
fn a_worker_moves_in_again_after_it_has_left_and_even_before() {
    let house = house("keep = true");
    let first = house.enter(0, 1).unwrap();
    let before = variables(first.as_ref());
    let second = house.enter(0, 1).unwrap();
    let meanwhile = variables(second.as_ref());
    assert_ne!(before["TMPDIR"], meanwhile["TMPDIR"]);
    assert_ne!(
        before.get("PORT_BASE").cloned().unwrap_or("a".into()),
        meanwhile.get("PORT_BASE").cloned().unwrap_or("b".into())
    );
    let kept = first.leave(true).unwrap();
    assert_eq!(second.leave(false), None);
    let third = house.enter(0, 1).unwrap();
    assert!(kept.exists() && !Path::new(&variables(third.as_ref())["TMPDIR"]).starts_with(&kept));
    std::fs::remove_dir_all(kept).unwrap();
}

#[test]
fn without_isolation_what_is_shared_is_named() {
    let house = house(
        "isolate = false\n[lease]\nTEST_SLOT_OF_FLAKEDB = \"3..16\"\n[env]\nURL = \"x/{TEST_SLOT_OF_FLAKEDB}\"\nOWN = \"{worker}\"",
    );
    let home = house.enter(1, 32).unwrap();
    let found = variables(home.as_ref());
    assert_eq!(
        (&*found["TEST_SLOT_OF_FLAKEDB"], &*found["URL"], &*found["OWN"]),
        ("3", "x/3", "1")
    );
    let shared = home.shared();
    for words in ["TEST_SLOT_OF_FLAKEDB=3", "URL=x/3", "PORT_BASE=20000", "TMPDIR="] {
        assert!(shared.iter().any(|said| said.starts_with(words)), "{words}: {shared:?}");
    }
    assert!(!shared.iter().any(|said| said.starts_with("OWN=")));
    assert_eq!(home.leave(true), None);
}

#[test]
fn more_workers_than_there_is_of_something_are_refused_at_once() {
    let house = house("[lease]\nTEST_ROOM_OF_FLAKEDB = \"0..16\"");
    let said = house.enter(16, 17).err().unwrap();
    let words = "TEST_ROOM_OF_FLAKEDB: 17 workers need one each, and 0..16 has 16";
    assert!(said.starts_with(words), "{said}");
    assert!(said.contains("--workers 16"), "{said}");
    #[cfg(feature = "testkit")]
    assert!(house.enter(15, 17).is_ok());
}

#[test]
fn what_the_configuration_cannot_mean_is_refused_before_a_worker_starts() {
    let section: WorkersSection = toml::from_str("[env]\nA = \"{nothing}\"").unwrap();
    assert!(House::new(&section, "run", None).unwrap_err().contains("there is no {nothing}"));
}

#[cfg(feature = "testkit")]
#[test]
fn two_runs_on_one_machine_never_have_the_same() {
    let text = "wait = 0\n[lease]\nTEST_DB_OF_FLAKEDB = \"0..3\"\n[env]\nURL = \"db/{TEST_DB_OF_FLAKEDB}\"";
    let (one, other) = (house(text), house(text));
    let homes = [one.enter(0, 2), one.enter(1, 2), other.enter(0, 2)].map(|home| home.unwrap());
    let mut seen: Vec<_> = homes.iter().map(|home| variables(home.as_ref())).collect();
    for name in ["TEST_DB_OF_FLAKEDB", "URL", "PORT_BASE", "TMPDIR"] {
        seen.sort_by(|a, b| a[name].cmp(&b[name]));
        assert!(seen.windows(2).all(|pair| pair[0][name] != pair[1][name]), "{name}: {seen:?}");
    }
    let said = other.enter(1, 2).err().unwrap();
    assert!(said.contains("all 3 of 0..3 are taken"), "{said}");
    assert!(said.contains("worker 0 of "), "{said}");
    drop(homes);
    assert!(other.enter(1, 2).is_ok());
}

#[cfg(not(feature = "testkit"))]
#[test]
fn leases_that_cannot_be_had_are_not_left_out_in_silence() {
    let said = house("[lease]\nREDIS_DB = \"0..16\"").enter(0, 1).err().unwrap();
    assert!(said.contains("built without the testkit"), "{said}");
}

//! One test for each clause, under its own name.

/// A module with one `#[test]` for each clause of a node: `nc_10_source_node` and so on, and
/// `of_its_type` for the clauses of its type.
///
/// The fixture is made anew for every test. A clause that was not exercised fails; one that the
/// fixture calls impossible, with a reason, passes.
///
/// ```ignore
/// flakedb::node_contract!(shout, ShoutFixture);
/// ```
#[macro_export]
macro_rules! node_contract {
    ($module:ident, $fixture:expr) => {
        mod $module {
            use super::*;
            $crate::__node_clauses!($fixture);

            #[test]
            fn of_its_type() -> Result<(), $crate::testkit::contracts::Unkept> {
                $crate::testkit::contracts::kept_by_type($fixture)
            }
        }
    };
}

/// A module with one `#[test]` for each clause of a registry: `rc_05_unknown_type` and so on.
///
/// ```ignore
/// flakedb::registry_contract!(my_registry, MyRegistryFixture);
/// ```
#[macro_export]
macro_rules! registry_contract {
    ($module:ident, $fixture:expr) => {
        mod $module {
            use super::*;
            $crate::__registry_clauses!($fixture);
        }
    };
}

/// Tests by a list of `name = "ID"`.
#[doc(hidden)]
#[macro_export]
macro_rules! __clause_tests {
    ($kept:path, $fixture:expr; $($name:ident = $id:literal,)+) => {
        $(
            #[test]
            fn $name() -> Result<(), $crate::testkit::contracts::Unkept> {
                $kept($fixture, $id)
            }
        )+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __node_clauses {
    ($fixture:expr) => {
        $crate::__clause_tests! {
            $crate::testkit::contracts::kept, $fixture;
            nc_01_registered = "NC-01",
            nc_02_made_as_defined = "NC-02",
            nc_03_all_parts = "NC-03",
            nc_04_common_settings = "NC-04",
            nc_05_stats_parts = "NC-05",
            nc_06_stats_start_empty = "NC-06",
            nc_07_result_parts = "NC-07",
            nc_08_output_messages = "NC-08",
            nc_09_trace_id = "NC-09",
            nc_10_source_node = "NC-10",
            nc_11_next_nodes = "NC-11",
            nc_12_failure_says_why = "NC-12",
            nc_13_counts_total = "NC-13",
            nc_14_counts_successes = "NC-14",
            nc_15_counts_failures = "NC-15",
            nc_16_counts_latency = "NC-16",
            nc_17_last_execution = "NC-17",
            nc_18_debug_text = "NC-18",
            nc_19_timeout_range = "NC-19",
            nc_20_retry_range = "NC-20",
            nc_21_concurrent = "NC-21",
            nc_22_succeeds = "NC-22",
            nc_23_input_unchanged = "NC-23",
            nc_24_output_apart = "NC-24",
            nc_25_choices_explained = "NC-25",
            nc_26_lineage = "NC-26",
            nc_27_unknown_keys = "NC-27",
            nc_28_ranges_reachable = "NC-28",
            nc_29_defaults_work = "NC-29",
            nc_30_latency = "NC-30",
            nc_31_cancel_safe = "NC-31",
            nc_32_hostile_payloads = "NC-32",
            nc_33_deterministic = "NC-33",
            nc_34_survives_json = "NC-34",
            nc_35_real_work = "NC-35",
            nc_36_timeout_honoured = "NC-36",
            nc_37_retries_honoured = "NC-37",
            nc_38_negative_latency = "NC-38",
            nc_39_parallel_updates = "NC-39",
            nc_40_known_targets = "NC-40",
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __registry_clauses {
    ($fixture:expr) => {
        $crate::__clause_tests! {
            $crate::testkit::contracts::kept_by_registry, $fixture;
            rc_01_all_registered = "RC-01",
            rc_02_makes_nodes = "RC-02",
            rc_03_types_differ = "RC-03",
            rc_04_second_registration = "RC-04",
            rc_05_unknown_type = "RC-05",
            rc_06_sorted = "RC-06",
            rc_07_apart = "RC-07",
            rc_08_replaces_on_purpose = "RC-08",
        }
    };
}

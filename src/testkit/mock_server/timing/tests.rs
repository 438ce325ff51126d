use proptest::prelude::*;
use serde_json::json;
use statrs::distribution::{ContinuousCDF, LogNormal, Normal};

use super::*;

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn quantiles_of_the_normal_distribution_are_those_of_statrs() {
    let reference = Normal::standard();
    for step in 1..20_000_u32 {
        let at = f64::from(step) / 20_000.0;
        let value = normal::quantile(at);
        assert!((reference.cdf(value) - at).abs() < 1e-10, "{at}: {value}");
        let theirs = reference.inverse_cdf(at);
        assert!((value - theirs).abs() <= 1e-9 * theirs.abs().max(1.0), "{at}: {value}, {theirs}");
    }
    for exponent in 5..15 {
        let at = 10_f64.powi(-exponent);
        let value = normal::quantile(at);
        let back = reference.cdf(value);
        assert!((back / at - 1.0).abs() < 1e-6, "{at}: {value}, {back}");
    }
}

#[test]
fn lognormal_draws_are_distributed_as_statrs_has_it() {
    let (median, sigma) = (ms(200), 0.6);
    let span = Span::lognormal(median, sigma);
    let reference = LogNormal::new(0.2_f64.ln(), sigma).unwrap();
    for step in 1..1000_u32 {
        let at = f64::from(step) / 1000.0;
        let drawn = span.quantile(at).as_secs_f64();
        let theirs = reference.inverse_cdf(at);
        assert!((drawn / theirs - 1.0).abs() < 1e-7, "{at}: {drawn}, {theirs}");
    }
    // Kolmogorov and Smirnov: the greatest gap between 10,000 draws and the curve; 0.0163 is passed
    // once in a hundred samples, and this sample is always the same.
    let chance = Chance::of(&[b"lognormal"]);
    let mut drawn: Vec<f64> =
        (0..10_000).map(|index| span.draw(&chance, "x", index).as_secs_f64()).collect();
    drawn.sort_by(f64::total_cmp);
    let gap = drawn
        .iter()
        .enumerate()
        .map(|(rank, value)| (reference.cdf(*value) - (rank as f64 + 0.5) / 10_000.0).abs())
        .fold(0.0, f64::max);
    assert!(gap < 0.0163, "{gap}");
}

#[test]
fn draws_are_these_on_every_machine() {
    let chance = Chance::of(&[b"seed", b"request"]);
    let spans = [
        Span::uniform(ms(100), ms(300)),
        Span::lognormal(ms(200), 0.4),
        Span::normal(ms(50), ms(10)),
    ];
    let drawn: Vec<Vec<u128>> = spans
        .iter()
        .map(|span| (0..4).map(|index| span.draw(&chance, "x", index).as_nanos()).collect())
        .collect();
    insta::assert_json_snapshot!(json!(
        drawn
            .iter()
            .map(|row| row.iter().map(u128::to_string).collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    ));
}

#[test]
fn a_cap_caps_and_extremes_stay_in_range() {
    let capped = Span::Lognormal { median: ms(100), sigma: 3.0, max: Some(ms(150)) };
    assert_eq!(capped.quantile(0.999), ms(150));
    assert_eq!(Span::lognormal(SPAN_MAX, 10.0).quantile(0.999_999), SPAN_MAX);
    assert_eq!(Span::normal(ms(1), ms(100)).quantile(0.01), Duration::ZERO);
    assert_eq!(Span::Fixed(Duration::MAX).draw(&Chance::of(&[]), "x", 0), SPAN_MAX);
}

#[test]
fn spans_are_read_as_people_write_them() {
    let read = |value: serde_json::Value| serde_json::from_value::<Span>(value);
    assert_eq!(read(json!(250)).unwrap(), Span::Fixed(ms(250)));
    assert_eq!(read(json!(0.5)).unwrap(), Span::Fixed(Duration::from_micros(500)));
    assert_eq!(read(json!("250ms")).unwrap(), Span::Fixed(ms(250)));
    assert_eq!(read(json!("1.5s")).unwrap(), Span::Fixed(ms(1500)));
    assert_eq!(read(json!("2 m")).unwrap(), Span::Fixed(Duration::from_secs(120)));
    assert_eq!(read(json!({"uniform": [100, "0.3s"]})).unwrap(), Span::uniform(ms(100), ms(300)));
    assert_eq!(
        read(json!({"uniform": {"lower": 1, "upper": 2}})).unwrap(),
        Span::uniform(ms(1), ms(2))
    );
    assert_eq!(
        read(json!({"lognormal": {"median": "200ms", "sigma": 0.4, "max": "2s"}})).unwrap(),
        Span::Lognormal { median: ms(200), sigma: 0.4, max: Some(ms(2000)) }
    );
    let toml: Timing =
        toml::from_str("latency = 5\nttft = \"1s\"\ntokens_per_second = 50\njitter = 0.1").unwrap();
    assert_eq!(
        toml,
        Timing {
            latency: Some(Span::Fixed(ms(5))),
            first_token: Some(Span::Fixed(ms(1000))),
            per_token: Some(Span::Fixed(ms(20))),
            jitter: Some(0.1),
        }
    );
}

#[test]
fn what_is_no_span_says_what_is() {
    let refused: Vec<String> = [
        json!(-1),
        json!("10"),
        json!("soon"),
        json!(1e300),
        json!({}),
        json!({"gauss": 1}),
        json!({"uniform": [2, 1]}),
        json!({"uniform": [1, 2], "normal": {}}),
        json!({"lognormal": {"median": 1, "sigma": -1}}),
        json!([1]),
    ]
    .into_iter()
    .map(|value| {
        let error = serde_json::from_value::<Span>(value.clone()).unwrap_err();
        format!("{value}: {error}")
    })
    .collect();
    insta::assert_snapshot!(refused.join("\n"));
    for value in [
        json!({"per_token": 1, "tps": 1}),
        json!({"tps": 0}),
        json!({"jitter": 2}),
        json!({"speed": 1}),
    ] {
        assert!(serde_json::from_value::<Timing>(value).is_err());
    }
}

#[test]
fn jitter_strays_by_its_share_at_most() {
    let timing = Timing {
        first_token: Some(Span::Fixed(ms(100))),
        per_token: Some(Span::Fixed(ms(10))),
        jitter: Some(0.2),
        ..Timing::default()
    };
    let chance = Chance::of(&[b"jitter"]);
    let drawn: Vec<Duration> = (1..500).map(|index| timing.token_of(&chance, index)).collect();
    assert!(drawn.iter().all(|span| (ms(8)..=ms(12)).contains(span)));
    assert!(drawn.iter().any(|span| *span < ms(9)) && drawn.iter().any(|span| *span > ms(11)));
    assert!((ms(80)..=ms(120)).contains(&timing.first_token_of(&chance)));
    assert_eq!(timing.latency_of(&chance), Duration::ZERO);
}

fn any_span() -> impl Strategy<Value = Span> {
    let time = || (0..86_400_000_000_000_u64).prop_map(Duration::from_nanos);
    prop_oneof![
        time().prop_map(Span::Fixed),
        (time(), time()).prop_map(|(a, b)| Span::uniform(a.min(b), a.max(b))),
        (
            time(),
            (0..10_000_u32).prop_map(|sigma| f64::from(sigma) / 1000.0),
            proptest::option::of(time())
        )
            .prop_map(|(median, sigma, max)| Span::Lognormal { median, sigma, max }),
        (time(), time()).prop_map(|(mean, deviation)| Span::normal(mean, deviation)),
    ]
}

proptest! {
    #[test]
    fn a_span_survives_its_spelling(span in any_span()) {
        let text = serde_json::to_string(&span).unwrap();
        prop_assert_eq!(serde_json::from_str::<Span>(&text).unwrap(), span);
    }

    #[test]
    fn a_draw_is_in_range_and_repeats(span in any_span(), seed in any::<u64>(), index in any::<u64>()) {
        let chance = Chance::of(&[&seed.to_le_bytes()]);
        let drawn = span.draw(&chance, "x", index);
        prop_assert!(drawn <= SPAN_MAX);
        prop_assert_eq!(drawn, span.draw(&chance, "x", index));
    }

    #[test]
    fn no_text_breaks_the_reader(text in ".{0,20}") {
        let _ = text.parse::<Time>();
    }
}

//! The catalogue where names crowd, are long, or told by their places.

use super::*;

#[test]
fn what_only_the_place_tells_is_told_exactly() {
    const BYTES: &[u8] = b"abz09-_";
    let mut dice = Dice(0x0dd5);
    // Few beginnings and many ends: where a place told them wrongly, a neighbour would be taken for listed.
    let name = |dice: &mut Dice| {
        let length = if dice.roll(4) == 0 { 1 + dice.roll(6) } else { 6 };
        let end: String = (0..length).map(|_| BYTES[dice.roll(BYTES.len())] as char).collect();
        let beginning = ["", "", "n", "bc.", "a."][dice.roll(5)];
        let top = ["example", "test", "invalid", "x.example"][dice.roll(4)];
        format!("{beginning}{end}.{top}")
    };
    for (count, forced, told) in
        [(10_000, None, 0), (420_000, None, 4), (420_000, Some(5), 5), (60_000, Some(5), 5)]
    {
        let listed: HashSet<String> = (0..count).map(|_| name(&mut dice)).collect();
        let text = listed.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
        let mut hasher = Hasher::new(7);
        hasher.told = forced;
        let catalogue =
            compile_with(Compiler::with_hasher(hasher), &[(&text, Format::V2fly, category("games"))]);
        assert_eq!(catalogue.header.told, told);
        let mut hits = 0;
        for _ in 0..500_000 {
            let asked = name(&mut dice);
            let found = !catalogue.lookup(Name::trusted(&asked)).is_empty();
            let meant = Name::trusted(&asked).suffixes().any(|suffix| listed.contains(suffix.as_str()));
            assert_eq!(found, meant, "{asked}");
            hits += usize::from(found);
        }
        assert!(hits > 400, "{hits}");
        // Bytes that no name has may be packed like others, and are told apart all the same.
        for asked in listed
            .iter()
            .filter(|name| name.ends_with("invalid") && name.matches('.').count() == 1)
            .take(1_000)
        {
            for byte in 0..asked.len() {
                let other =
                    format!("{}{}{}", &asked[..byte], asked[byte..=byte].to_uppercase(), &asked[byte + 1..]);
                let meant = if other == *asked { category("games") } else { Tags::NONE };
                assert_eq!(catalogue.lookup(Name::trusted(&other)), meant, "{other}");
            }
        }
    }
}

#[test]
fn absurdly_long_names_find_their_place() {
    let mut dice = Dice(99);
    let long = |dice: &mut Dice| {
        let label =
            |dice: &mut Dice| (0..60).map(|_| (b'a' + dice.roll(26) as u8) as char).collect::<String>();
        format!("{}.{}.{}.{}.example", label(dice), label(dice), label(dice), label(dice))
    };
    let names: Vec<String> = (0..3_000).map(|_| long(&mut dice)).collect();
    let text = names.join("\n");
    let mixed = (0..3_000).map(|n| format!("s{n}.example\n")).collect::<String>() + &text;
    for text in [text, mixed] {
        let catalogue = compile(&[(&text, Format::Plain, category("games"))]);
        assert!(names.iter().all(|name| ask(&catalogue, name) == category("games")));
        assert_eq!(ask(&catalogue, &names[0].replace("example", "test")), Tags::NONE);
    }
}

#[test]
fn nobody_crowds_a_line_with_names_below_one_site() {
    let g = category("games");
    // Below one site, below one name of three labels, and below one of those; few below some sites, none below others.
    let mut names: Vec<String> = (0..60_000).map(|n| format!("n{n}.crowd.example")).collect();
    names.extend((0..60_000).map(|n| format!("n{n}.b.crowd.example")));
    names.extend((0..5_000).map(|n| format!("n{n}.c.b.crowd.example")));
    names.extend(
        (0..5_000)
            .flat_map(|n| [format!("site{n}.test"), format!("a.site{n}.test"), format!("b.a.site{n}.test")]),
    );
    let text = names.join("\n");
    let catalogue =
        compile(&[(&text, Format::V2fly, g), ("full:b.crowd.example\nfull:crowd.example", Format::V2fly, g)]);
    assert!(catalogue.info().bytes_per_name() < 14.0, "{}", catalogue.info().bytes_per_name());
    for name in names.iter().step_by(7) {
        assert_eq!((ask(&catalogue, name), ask(&catalogue, &format!("www.{name}"))), (g, g), "{name}");
        let is_below = name.ends_with(".test") && !name.starts_with("site");
        let beside = if is_below { g } else { Tags::NONE };
        assert_eq!(ask(&catalogue, &format!("x{name}")), beside, "x{name}");
    }
    for (name, tags) in [
        ("crowd.example", g),
        ("b.crowd.example", g),
        ("c.b.crowd.example", Tags::NONE),
        ("x.crowd.example", Tags::NONE),
        ("x.b.crowd.example", Tags::NONE),
        ("x.c.b.crowd.example", Tags::NONE),
        ("y.x.c.b.crowd.example", Tags::NONE),
        ("y.n7.c.b.crowd.example", g),
        ("example", Tags::NONE),
        ("site5000.test", Tags::NONE),
    ] {
        assert_eq!(ask(&catalogue, name), tags, "{name}");
    }
}

#[test]
fn top_level_domains_are_listed_too() {
    let (g, i) = (category("games"), Tags::category(Category::ILLEGAL));
    let mut compiler = Compiler::with_seed(5);
    let sealed =
        ListInput { sealed: true, format: Some(Format::V2fly), ..ListInput::new("s", i, b"sealed\n") };
    compiler.add(sealed).expect("a list");
    let crowd: String = (0..100).map(|n| format!("n{n}.co.uk\n")).collect();
    let lists = [
        ("intranet\nsite.example\nfull:localdomain\n", Format::V2fly, g),
        (crowd.as_str(), Format::V2fly, g),
    ];
    let catalogue = compile_with(compiler, &lists);
    for (name, tags) in [
        ("intranet", g),
        ("a.intranet", g),
        ("c.b.a.intranet", g),
        ("intranet.zap", Tags::NONE),
        ("localdomain", g),
        ("there.localdomain", Tags::NONE),
        ("sealed", i),
        ("www.a.sealed", i),
        ("unsealed", Tags::NONE),
        ("site.example", g),
        ("www.site.example", g),
        ("example", Tags::NONE),
        ("www.n99.co.uk", g),
        ("n100.co.uk", Tags::NONE),
        ("co.uk", Tags::NONE),
    ] {
        assert_eq!(ask(&catalogue, name), tags, "{name}");
    }
}

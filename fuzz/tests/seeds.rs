//! Every seed goes through its target once. They are small and invented; a crash that was mended is one of them.

use std::fs;
use std::path::Path;

#[test]
fn every_seed_goes_through_its_target() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let (mut all, mut bytes) = (0, 0);
    for (name, target) in fuzz::TARGETS {
        let mut files: Vec<_> = fs::read_dir(seeds.join(name))
            .unwrap_or_else(|error| panic!("seeds/{name}: {error}"))
            .map(|file| file.expect("a file").path())
            .collect();
        files.sort();
        assert!(files.len() >= 10, "seeds/{name} has {} files", files.len());
        for file in files {
            let seed = fs::read(&file).expect("a file that can be read");
            // Named first: a seed that aborts the program is found by the last line.
            println!("{}", file.display());
            target(&seed);
            (all, bytes) = (all + 1, bytes + seed.len());
        }
    }
    assert_eq!(
        fs::read_dir(&seeds).expect("the seeds").count(),
        fuzz::TARGETS.len(),
        "a folder for each target"
    );
    assert!(all <= 200 && bytes <= 300 * 1024, "{all} seeds, {bytes} bytes: keep them few and small");
    println!("{all} seeds, {bytes} bytes");
}

//! Names that come in while runs are at work.

use std::thread;

use super::House;

#[test]
fn runs_that_take_in_the_same_lists_load_nothing_twice_and_lose_nothing() {
    let house = House::new();
    let serving = house.serve();
    thread::scope(|scope| {
        let runs = scope.spawn(|| {
            for _ in 0..3 {
                // Its endpoints do not answer, so it takes in and defers.
                let ended = house.does(&["run", "--task", "photos", "--max-duration", "1s"]);
                assert!(matches!(ended.code, Some(6 | 9)), "{ended:?}");
            }
        });
        let mut sent = 0;
        while !runs.is_finished() || sent < 50 {
            let name = format!("{sent:05}");
            serving.accepts(&[&name]);
            sent += 1;
        }
        let expected: Vec<String> = (0..sent).map(|n| format!("{n:05}")).collect();
        assert_eq!(house.wait_requested(sent), expected);
        runs.join().unwrap();
    });
    assert_eq!(
        house.ask("SELECT CAST(taken - deferred AS TEXT) FROM run_history WHERE taken <> deferred"),
        [""; 0]
    );
    assert_eq!(serving.stop().code, Some(0));
    house.check_books();
}

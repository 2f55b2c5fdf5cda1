//! Entries that are written in the commit of another write.

use super::*;
use crate::clock::ManualClock;
use crate::metrics::Metrics;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

#[tokio::test]
async fn entries_that_go_along_are_there_when_the_write_is() {
    let store = Embedded::in_memory(Arc::new(Metrics::new())).unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    let audit = Audit::new(store.clone(), clock, None, Duration::from_hours(1)).unwrap();
    let event = |action: &str| Event {
        action: action.to_owned(),
        ..Event::default()
    };
    audit.write(event("before")).await.unwrap();
    for (name, refuse, want) in [("refused", true, 1), ("written", false, 3)] {
        let events = vec![event("user.created"), event("link.created")];
        let write = |entries: Along| {
            let refused = refuse.then_some(StorageError::Closed);
            store.write(|it| refused.map_or_else(|| entries.write(it), Err))
        };
        let done = audit.with(events, write).await;
        assert_eq!(done.is_err(), refuse, "{name}");
        let verdict = audit.verify().await.unwrap();
        assert_eq!(verdict, Verdict::Whole { entries: want }, "{name}");
    }
    let newest = audit.newest(1).await.unwrap();
    assert_eq!(newest[0].event.action, "link.created");
}

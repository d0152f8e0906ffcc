//! Addresses for operators and developers.

use super::*;

#[tokio::test(start_paused = true)]
async fn readiness_follows_the_store_and_ends_with_the_stop() {
    let a_second = Duration::from_secs(1);
    let site = site();
    assert_eq!(site.get("/health/ready").await.status, StatusCode::OK);

    site.store_is_away.store(true, Ordering::SeqCst);
    tokio::time::advance(a_second).await;
    assert_eq!(site.get("/health/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.get("/health/live").await.status, StatusCode::OK);

    site.store_is_away.store(false, Ordering::SeqCst);
    tokio::time::advance(a_second).await;
    assert_eq!(site.get("/health/ready").await.status, StatusCode::OK);

    // S27
    site.readiness.stop();
    assert_eq!(site.get("/health/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.get("/health/live").await.status, StatusCode::OK);
}

/// A check of the store writes.
#[tokio::test(start_paused = true)]
async fn s36_many_questions_for_readiness_are_one_check_a_second() {
    let site = site();
    for _ in 0..3 {
        for _ in 0..100 {
            assert_eq!(site.get("/health/ready").await.status, StatusCode::OK);
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }

    assert_eq!(site.pings.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn the_inbox_is_there_in_development_alone() {
    let with = site();
    assert!(with.get("/dev/inbox").await.body.contains("123456"));
    let json = with.get("/dev/inbox.json").await.body;
    assert_eq!(json, serde_json::to_string(&[message()]).unwrap());

    let without = site_with(|web| web.inbox = None);
    assert_eq!(without.get("/dev/inbox").await.status, StatusCode::NOT_FOUND);
    assert_eq!(without.get("/dev/inbox.json").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn security_txt_names_the_contacts_of_the_configuration() {
    let answer = site().get("/.well-known/security.txt").await;
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "public, max-age=86400");
    assert_eq!(
        answer.body,
        "Contact: mailto:security@example.com\n\
         Expires: 1970-06-30T00:01:00Z\n\
         Canonical: https://otp.example.com/.well-known/security.txt\n"
    );

    let without = site_with(|web| web.security_contacts.clear());
    assert_eq!(without.get("/.well-known/security.txt").await.status, StatusCode::NOT_FOUND);
}

use crate::rechat::Rechat;
use rechat::adapter::{Delivery, PlatformState};

#[tokio::test]
async fn everything_is_accepted_and_comes_back_if_asked_to() {
    let mut rechat = Rechat::start(&["kind = 'loopback'\necho = true".into()]).await;
    assert_eq!(rechat.until("loopback", PlatformState::Connected).await, "");
    let delivery = rechat.send("loopback", "anything at all", "hi").await;
    assert!(matches!(delivery, Delivery::Sent { external_id: Some(_), .. }));
    let echo = rechat.message().await;
    assert_eq!(
        (echo.conversation.as_str(), echo.content.readable().as_ref()),
        ("anything at all", "hi")
    );
    assert!(!echo.own);
    rechat.stop().await;
}

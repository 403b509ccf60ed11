//! Connections that belong to the leader: those of adapters and bots. Another node carries their
//! bytes to it, and it answers as if they had come to itself; it checks their access, too.

use crate::cluster::{ClusterHandle, NotAnswered};
use crate::server::access::{RefusalKind, shown};
use crate::server::body::{Body, HttpResponse};
use crate::server::connection_facts::ConnectionFacts;
use crate::server::context::{Incoming, ServerContext};
use crate::server::error::{ErrorResponse, Result};
use crate::server::limit::Permit;
use crate::server::peer::Peer;
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, HeaderValue, TRANSFER_ENCODING};
use hyper::{StatusCode, Uri, Version};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{DuplexStream, copy_bidirectional};

/// After how long a program that found no leader may try again.
const RETRY: Duration = Duration::from_secs(2);

/// Has the leader answer a request, and carries the connection that it becomes. Why that cannot
/// be is logged, for programs that dial in seldom show it.
pub async fn relay(
    context: &Arc<ServerContext>,
    cluster: &ClusterHandle,
    connection: &ConnectionFacts,
    path: &str,
    request: Incoming,
) -> Result<HttpResponse> {
    let peer = connection.peer;
    let from = match peer {
        Peer::Tcp(address) => Some(address),
        Peer::Unix => None,
    };
    let client = context.access.client_of(peer, request.headers());
    let shows_token = shown(request.headers(), request.uri(), true).is_some();
    let relayed = match cluster.tunnels.open(from).await {
        Ok(stream) => ask(context, stream, connection.permit.clone(), request).await,
        Err(why) => Err(not_connected(&why)),
    };
    relayed.inspect_err(|why| {
        let refusal = RefusalKind::of(why.status(), shows_token);
        context.access.log_refused(client, path, refusal, why.text());
    })
}

/// Asks over a connection to the leader.
async fn ask(
    context: &Arc<ServerContext>,
    stream: DuplexStream,
    permit: Option<Permit>,
    mut request: Incoming,
) -> Result<HttpResponse> {
    let broken = |error: hyper::Error| {
        let text = format!("the connection to the leader of the cluster broke: {error}");
        ErrorResponse::unavailable(text, RETRY).named(Some("no_leader"))
    };
    let (mut requests, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    tokio::spawn(async move { drop(connection.with_upgrades().await) });
    let client = hyper::upgrade::on(&mut request);
    as_http1(&mut request)?;
    let mut answer = requests.send_request(request).await.map_err(broken)?;
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        // They are of the connection to the leader (RFC 9110, section 7.6.1).
        for name in [CONNECTION, TRANSFER_ENCODING] {
            answer.headers_mut().remove(name);
        }
        return Ok(answer.map(|body| Body::Stream(body.map_err(Into::into).boxed_unsync())));
    }
    let leader = hyper::upgrade::on(&mut answer);
    let stop = context.stop.clone();
    context.tasks.spawn(async move {
        let carrying = async {
            let (client, leader) = tokio::try_join!(client, leader)?;
            let (mut client, mut leader) = (TokioIo::new(client), TokioIo::new(leader));
            // One that breaks off is no fault of this node.
            let _ = copy_bidirectional(&mut client, &mut leader).await;
            Ok::<_, hyper::Error>(())
        };
        if let Some(Err(error)) = stop.run_until_cancelled(carrying).await {
            tracing::debug!("a connection to the leader did not come about: {error}");
        }
        drop(permit);
    });
    Ok(answer.map(|_| Body::default()))
}

/// Brings a request into the form of HTTP/1.1, whichever it came in.
fn as_http1(request: &mut Incoming) -> Result<()> {
    let uri = request.uri().clone();
    if let Some(host) = uri.authority()
        && !request.headers().contains_key(HOST)
        && let Ok(host) = HeaderValue::from_str(host.as_str())
    {
        request.headers_mut().insert(HOST, host);
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let path = path.parse::<Uri>();
    *request.uri_mut() =
        path.map_err(|error| ErrorResponse::bad_request(format!("the path: {error}")))?;
    *request.version_mut() = Version::HTTP_11;
    Ok(())
}

fn not_connected(why: &NotAnswered) -> ErrorResponse {
    let text = match why {
        NotAnswered::NoLeader => {
            "adapters and bots connect to the leader of the cluster, and there is none now"
                .to_owned()
        }
        NotAnswered::TooLarge { .. } => "NATS takes no messages (`max_payload`)".to_owned(),
        NotAnswered::Unknown(error) => format!(
            "adapters and bots connect to the leader of the cluster, which takes no connection: {error}"
        ),
    };
    ErrorResponse::unavailable(text, RETRY).named(Some("no_leader"))
}

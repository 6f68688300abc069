//! The two listeners. Connections that are slow to send a request head are closed, and stopping lets requests in flight
//! finish.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer};
use tokio::net::TcpSocket;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// Connections the kernel holds until a worker takes them.
const BACKLOG: u32 = 4096;
const HEAD_WITHIN: Duration = Duration::from_secs(30);
const KEEP_ALIVE: Duration = Duration::from_secs(75);
const CLOSED_WITHIN: Duration = Duration::from_secs(5);
/// How long requests in flight may take once the server is stopping.
pub(crate) const DRAIN: Duration = Duration::from_secs(30);

/// A bound listener. Nobody is answered before it is served.
#[derive(Debug)]
pub(crate) struct Bound {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

/// Binds an address; port 0 takes a free one.
pub(crate) fn bind(address: SocketAddr) -> io::Result<Bound> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?.into_std()?;
    let address = listener.local_addr()?;
    Ok(Bound { listener, address })
}

/// A listener at work, and what stops it.
pub(crate) struct Listening {
    /// Ends with the listener.
    pub(crate) ended: oneshot::Receiver<io::Result<()>>,
    pub(crate) handle: ServerHandle,
}

/// Serves what `mount` puts there.
pub(crate) fn serve<M>(bound: Bound, workers: NonZeroUsize, mount: M) -> io::Result<Listening>
where
    M: Fn(&mut ServiceConfig) + Clone + Send + 'static,
{
    let server = HttpServer::new(move || App::new().configure(&mount))
        .workers(workers.get())
        .client_request_timeout(HEAD_WITHIN)
        .client_disconnect_timeout(CLOSED_WITHIN)
        .keep_alive(KEEP_ALIVE)
        .tcp_nodelay(true)
        // A caller that closed its side is taken to be gone: its upstream call is ended at once.
        .h1_allow_half_closed(false)
        .disable_signals()
        .shutdown_timeout(DRAIN.as_secs())
        .listen(bound.listener)?
        .run();
    let handle = server.handle();
    let ended = run(server)?;
    Ok(Listening { ended, handle })
}

/// Runs a server from a thread of its own: its workers take their priority over from the thread that starts them, and
/// that of the background's threads is lower.
fn run(server: Server) -> io::Result<oneshot::Receiver<io::Result<()>>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (end, ended) = oneshot::channel();
    std::thread::Builder::new().name("listener".to_owned()).spawn(move || {
        // Nobody waits any more when the process is already ending.
        drop(end.send(runtime.block_on(server)));
    })?;
    Ok(ended)
}

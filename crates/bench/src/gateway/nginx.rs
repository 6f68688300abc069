//! nginx as the plainest gateway there is: one worker, a comparison of the bearer, kept-alive connections to the
//! upstream, every piece of a stream passed on as it comes, no log.

use std::fs;
use std::path::Path;

use anyhow::Result;
use tokio::net::TcpStream;

use crate::processes::{Core, Running, find_program, free_port, pinned};

/// Starts nginx in front of `upstream` and gives its address.
pub(crate) async fn start(directory: &Path, core: Core, upstream: &str, key: &str) -> Result<(Running, String)> {
    let program = find_program("nginx", &["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"])?;
    let address = format!("127.0.0.1:{}", free_port()?);
    let home = directory.join("nginx");
    fs::create_dir_all(&home)?;
    let file = home.join("nginx.conf");
    fs::write(&file, configuration(&home, &address, upstream, key))?;
    let mut command = pinned(&program, Some(core));
    command
        .arg("-p")
        .arg(&home)
        .arg("-c")
        .arg(&file)
        .arg("-e")
        .arg(home.join("error.log"));
    let mut running = Running::start("nginx", command, &home.join("log"))?;
    running
        .until(|| async { TcpStream::connect(&address).await.is_ok() })
        .await?;
    Ok((running, address))
}

fn configuration(home: &Path, address: &str, upstream: &str, key: &str) -> String {
    let home = home.display();
    // As root, workers become another user, who would need the directory of body files; a 32 kB body stays in memory.
    let user = if rustix::process::geteuid().is_root() {
        "user root;"
    } else {
        ""
    };
    format!(
        r#"{user}
daemon off;
worker_processes 1;
pid {home}/pid;
error_log {home}/error.log warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    tcp_nodelay on;
    keepalive_timeout 10m;
    keepalive_requests 1000000000;
    client_body_buffer_size 128k;
    client_max_body_size 64m;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    map $http_authorization $stranger {{
        "Bearer {key}" 0;
        default 1;
    }}
    upstream provider {{
        server {upstream};
        keepalive 512;
        keepalive_timeout 10m;
        keepalive_requests 1000000000;
    }}
    server {{
        listen {address};
        location /v1/ {{
            if ($stranger) {{ return 401; }}
            proxy_pass http://provider;
            proxy_http_version 1.1;
            proxy_buffering off;
            proxy_set_header Connection "";
            proxy_set_header Authorization "Bearer upstream-secret";
        }}
    }}
}}
"#
    )
}

//! The host that is asked: its name and its addresses.

use std::io::{Error, ErrorKind, Result};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Instant;

pub struct Host {
    /// `HOST:PORT`, as a request names it.
    pub name: String,
    addresses: Vec<SocketAddr>,
}

impl Host {
    /// Looks up the addresses of `HOST:PORT`.
    pub fn find(name: &str) -> Result<Self> {
        match name.to_socket_addrs() {
            Ok(addresses) => Ok(Self { name: name.to_string(), addresses: addresses.collect() }),
            Err(error) => {
                let sentence = format!("cannot find the host of {name}: {error}");
                Err(Error::new(error.kind(), sentence))
            }
        }
    }

    /// Connects to the first address that answers, and from then on to that one only: on Windows it
    /// takes two seconds to learn that nobody listens.
    pub fn connect(&mut self, give_up: Instant) -> Result<TcpStream> {
        let mut error = Error::other("it has no address");
        for address in &self.addresses {
            let left = give_up.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::new(ErrorKind::TimedOut, "no time left to connect"));
            }
            match TcpStream::connect_timeout(address, left) {
                Ok(stream) => {
                    self.addresses = vec![*address];
                    return Ok(stream);
                }
                Err(refused) => error = refused,
            }
        }
        Err(Error::new(error.kind(), format!("cannot connect to {}: {error}", self.name)))
    }
}

impl From<SocketAddr> for Host {
    fn from(address: SocketAddr) -> Self {
        Self { name: address.to_string(), addresses: vec![address] }
    }
}

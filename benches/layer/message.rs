//! What both sides have in common: the bytes that are sent, and the connections that they go over.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::windows::fs::OpenOptionsExt;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use overlapped::ffi::constants::{AF_INET, FILE_FLAG_OVERLAPPED};
use overlapped::ffi::socket_address::{IN_ADDR, SOCKADDR_IN};

/// The length of a message.
pub const SIZE: usize = 64;

/// The number of connections, where there are many.
pub const MANY: usize = 64;

/// How many packets one wait can bring.
pub const CAPACITY: usize = 64;

/// A message: a number, which differs from round to round, and behind it a pattern.
pub fn message() -> [u8; SIZE] {
    std::array::from_fn(|index| index as u8 ^ 0xA5)
}

/// Writes the number at the front of a message.
pub fn set_number(message: &mut [u8], number: u64) {
    message[..8].copy_from_slice(&number.to_ne_bytes());
}

/// An error unless this is the message of that number.
pub fn check(message: &[u8], number: u64) -> io::Result<()> {
    let mut wanted = self::message();
    set_number(&mut wanted, number);
    if message == wanted { Ok(()) } else { Err(wrong("another message has come than was sent")) }
}

/// That a round was not as it should be.
#[cold]
pub fn wrong(sentence: &str) -> io::Error {
    io::Error::other(sentence.to_string())
}

/// A name for a pipe that nobody else has.
pub fn pipe_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("overlapped-bench-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed))
}

/// The two ends of a connection.
pub fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let near = TcpStream::connect(listener.local_addr()?)?;
    let (far, _) = listener.accept()?;
    for end in [&near, &far] {
        // Nothing shall wait for more to be sent along with it.
        end.set_nodelay(true)?;
    }
    Ok((near, far))
}

/// Two sockets for datagrams, on the loopback.
pub fn pair_of_datagrams() -> io::Result<[UdpSocket; 2]> {
    Ok([UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?])
}

/// Where datagrams for this socket go, as Winsock has it.
pub fn address_of(socket: &UdpSocket) -> io::Result<SOCKADDR_IN> {
    let SocketAddr::V4(address) = socket.local_addr()? else {
        return Err(wrong("the socket is not of IPv4"));
    };
    Ok(SOCKADDR_IN {
        sin_family: AF_INET,
        sin_port: address.port().to_be(),
        sin_addr: IN_ADDR { S_addr: u32::from_ne_bytes(address.ip().octets()) },
        sin_zero: [0; 8],
    })
}

/// The length of a block of a file, and how many there are.
pub const BLOCK: usize = 4096;
pub const BLOCKS: u64 = 16;

/// A file of blocks, for overlapped reads. It goes when it is closed.
pub fn file_of_blocks() -> io::Result<File> {
    const DELETE_ON_CLOSE: u32 = 0x0400_0000;
    let path = std::env::temp_dir().join(format!("overlapped-bench-{}", std::process::id()));
    std::fs::write(&path, (0..BLOCKS).flat_map(block).collect::<Vec<_>>())?;
    let mut options = File::options();
    options.read(true).custom_flags(FILE_FLAG_OVERLAPPED | DELETE_ON_CLOSE).open(path)
}

fn block(number: u64) -> [u8; BLOCK] {
    let mut block = [number as u8 ^ 0xA5; BLOCK];
    set_number(&mut block, number);
    block
}

/// Where the block of this round is.
pub fn offset_of(round: u64) -> u64 {
    round % BLOCKS * BLOCK as u64
}

/// An error unless this is the block of that round. It looks at both ends, for what lies between
/// them would cost more than the read.
pub fn check_block(read: &[u8], round: u64) -> io::Result<()> {
    let (number, last) = (round % BLOCKS, [(round % BLOCKS) as u8 ^ 0xA5]);
    let is_whole = read.len() == BLOCK && read.ends_with(&last);
    if is_whole && read.starts_with(&number.to_ne_bytes()) {
        Ok(())
    } else {
        Err(wrong("another block was read"))
    }
}

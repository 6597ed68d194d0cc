//! The rules that know what a VPN says first, also at an address that a name opened: what [`crate::handshake`] knows of a packet, as
//! far as a rule can tell it.
//!
//! They look at every packet that leaves the home, since a program may say something else first, and only at streams that have just
//! begun. Offsets are in bits from the beginning of the UDP or TCP header; every comparison is one that nftables has had from the start.

use super::sets::{UNREAD_ADDRESS4, UNREAD_ADDRESS6, UNREAD_MAC4, UNREAD_MAC6};
use std::fmt::Write;

/// OpenVPN's first packet in a stream: its length in two bytes, and its first byte.
const RESETS: &str = "{ 0x000e38, 0x002a38, 0x003638, 0x005638 }";

/// Adds the chains.
pub(super) fn chains(script: &mut String) {
    let _ = write!(
        script,
        "
	chain vpn_in_datagrams {{
		udp length 156 @th,64,32 0x01000000 counter goto vpn comment \"wireguard\"
		udp length 22 @th,64,8 0x38 @th,136,40 0x0 counter goto vpn comment \"openvpn\"
		udp length 50 @th,64,8 0x38 @th,360,40 0x0 counter goto vpn comment \"openvpn, tls-auth\"
		udp length 62 @th,64,8 0x38 @th,456,40 0x0 counter goto vpn comment \"openvpn, tls-auth\"
		udp length 94 @th,64,8 0x38 @th,712,40 0x0 counter goto vpn comment \"openvpn, tls-auth\"
		udp length 62 @th,64,8 0x38 @th,144,16 0x0 counter goto vpn comment \"openvpn, tls-crypt\"
		udp length 352-1408 @th,64,8 0x50 @th,144,16 0x0 counter goto vpn comment \"openvpn, tls-crypt-v2\"
		udp dport {{ 500, 4500 }} @th,64,64 != 0x0 @th,128,64 0x0 @th,200,16 {{ 0x2022, 0x1002, 0x1004 }} counter goto vpn comment \"ike\"
		udp dport 4500 @th,64,32 0x0 @th,160,64 0x0 @th,232,16 {{ 0x2022, 0x1002, 0x1004 }} counter goto vpn comment \"ike\"
	}}

	chain vpn_in_streams {{
		tcp doff 5 @th,160,24 {RESETS} counter goto vpn comment \"openvpn\"
		tcp doff 8 @th,256,24 {RESETS} counter goto vpn comment \"openvpn\"
	}}

	chain vpn {{
		# What is protected is spoken to as it likes, and so is what an agreement does not close.
		ether saddr . ip daddr @{UNREAD_MAC4} return
		ether saddr . ip6 daddr @{UNREAD_MAC6} return
		ip saddr . ip daddr @{UNREAD_ADDRESS4} return
		ip6 saddr . ip6 daddr @{UNREAD_ADDRESS6} return
		jump tell
		counter goto refuse comment \"vpn\"
	}}
"
    );
}

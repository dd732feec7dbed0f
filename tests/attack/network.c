/* SPDX-License-Identifier: Apache-2.0 */
/* Socket families, and privileged doings with sockets. */
#include "primitives.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What older headers lack. */
enum { FAMILY_SMC = 43, FAMILY_XDP = 44 };

static struct result make_socket(const struct primitive *self) {
  if (self->path ? !has_protocol(self->path) : self->a == AF_NETLINK && !has_netlink((int)self->c))
    return absent("not loaded");
  return judge(socket((int)self->a, (int)self->b | SOCK_CLOEXEC, (int)self->c));
}

static struct result set_option(const struct primitive *self) {
  int value = 1;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return judge(-1);
  return judge(setsockopt(fd, (int)self->a, (int)self->b, &value, sizeof value));
}

/* With a table that is none. CVE-2021-22555 was in what this reads. */
static struct result replace_filter(const struct primitive *self) {
  unsigned char none[256] = { 0 };
  (void)self;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return judge(-1);
  return judge_past(setsockopt(fd, IPPROTO_IP, 64 /* IPT_SO_SET_REPLACE */, none, sizeof none), EINVAL, 0);
}

static struct result attach_filter(const struct primitive *self) {
  struct sock_filter code[] = { { .code = BPF_RET | BPF_K, .k = 0 } };
  struct sock_fprog program = { .len = 1, .filter = code };
  (void)self;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return judge(-1);
  return judge(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
}

/* The loopback's flags, written as they are. */
static struct result set_flags(const struct primitive *self) {
  struct ifreq request = { .ifr_name = "lo" };
  (void)self;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) != 0)
    return judge(-1);
  return judge(ioctl(fd, SIOCSIFFLAGS, &request));
}

/* The same by netlink, with an answer asked for. */
static struct result set_link(const struct primitive *self) {
  struct {
    struct nlmsghdr header;
    struct ifinfomsg link;
  } request = { .header = { .nlmsg_len = sizeof request,
                            .nlmsg_type = RTM_NEWLINK,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
                .link = { .ifi_family = AF_UNSPEC, .ifi_index = 1 } };
  struct {
    struct nlmsghdr header;
    struct nlmsgerr error;
    char rest[512];
  } answer = { 0 };
  (void)self;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0 || send(fd, &request, sizeof request, 0) < 0 || recv(fd, &answer, sizeof answer, 0) < 0)
    return judge(-1);
  errno = -answer.error.error;
  return judge(answer.error.error == 0 ? 0 : -1);
}

static struct result socket_pair(const struct primitive *self) {
  int fds[2];
  if (self->path && !has_protocol(self->path))
    return absent("not loaded");
  return judge_past(socketpair((int)self->a, (int)self->b, (int)self->c, fds), EOPNOTSUPP, 0);
}

const struct primitive network_primitives[] = {
  { .name = "raw-icmp", .attempt = make_socket, .a = AF_INET, .b = SOCK_RAW, .c = IPPROTO_ICMP },
  { .name = "raw-ipv6",
    .attempt = make_socket,
    .a = AF_INET6,
    .b = SOCK_RAW,
    .c = IPPROTO_ICMPV6,
    .path = "RAWv6" },
  { .name = "packet", .attempt = make_socket, .a = AF_PACKET, .b = SOCK_RAW, .path = "PACKET" },
  { .name = "netlink-route", .attempt = make_socket, .a = AF_NETLINK, .b = SOCK_RAW, .c = NETLINK_ROUTE },
  { .name = "netlink-sock-diag",
    .attempt = make_socket,
    .a = AF_NETLINK,
    .b = SOCK_RAW,
    .c = NETLINK_SOCK_DIAG },
  { .name = "netlink-xfrm", .attempt = make_socket, .a = AF_NETLINK, .b = SOCK_RAW, .c = NETLINK_XFRM },
  { .name = "netlink-audit", .attempt = make_socket, .a = AF_NETLINK, .b = SOCK_RAW, .c = NETLINK_AUDIT },
  { .name = "netlink-netfilter",
    .attempt = make_socket,
    .a = AF_NETLINK,
    .b = SOCK_RAW,
    .c = NETLINK_NETFILTER },
  { .name = "netlink-uevent",
    .attempt = make_socket,
    .a = AF_NETLINK,
    .b = SOCK_RAW,
    .c = NETLINK_KOBJECT_UEVENT },
  { .name = "netlink-generic", .attempt = make_socket, .a = AF_NETLINK, .b = SOCK_RAW, .c = NETLINK_GENERIC },
  { .name = "netlink-crypto", .attempt = make_socket, .a = AF_NETLINK, .b = SOCK_RAW, .c = NETLINK_CRYPTO },
  { .name = "xdp", .attempt = make_socket, .a = FAMILY_XDP, .b = SOCK_RAW, .path = "XDP" },
  { .name = "vsock", .attempt = make_socket, .a = AF_VSOCK, .b = SOCK_STREAM, .path = "AF_VSOCK" },
  { .name = "alg", .attempt = make_socket, .a = AF_ALG, .b = SOCK_SEQPACKET, .path = "ALG" },
  { .name = "key", .attempt = make_socket, .a = AF_KEY, .b = SOCK_RAW, .c = 2, .path = "KEY" },
  { .name = "can", .attempt = make_socket, .a = AF_CAN, .b = SOCK_RAW, .c = 1, .path = "CAN_RAW" },
  { .name = "bluetooth", .attempt = make_socket, .a = AF_BLUETOOTH, .b = SOCK_RAW, .c = 1, .path = "HCI" },
  { .name = "tipc", .attempt = make_socket, .a = AF_TIPC, .b = SOCK_RDM, .path = "TIPC" },
  { .name = "rds", .attempt = make_socket, .a = AF_RDS, .b = SOCK_SEQPACKET, .path = "RDS" },
  { .name = "smc", .attempt = make_socket, .a = FAMILY_SMC, .b = SOCK_STREAM, .path = "SMC" },
  { .name = "sctp", .attempt = make_socket, .a = AF_INET, .b = SOCK_SEQPACKET, .c = 132, .path = "SCTP" },
  { .name = "socketpair-tipc", .attempt = socket_pair, .a = AF_TIPC, .b = SOCK_SEQPACKET, .path = "TIPC" },
  { .name = "socketpair-inet", .attempt = socket_pair, .a = AF_INET, .b = SOCK_STREAM },
  { .name = "mark", .attempt = set_option, .a = SOL_SOCKET, .b = SO_MARK },
  { .name = "receive-buffer-force", .attempt = set_option, .a = SOL_SOCKET, .b = SO_RCVBUFFORCE },
  { .name = "transparent", .attempt = set_option, .a = IPPROTO_IP, .b = 19 /* IP_TRANSPARENT */ },
  { .name = "iptables-replace", .attempt = replace_filter },
  { .name = "classic-filter", .attempt = attach_filter },
  { .name = "interface-flags", .attempt = set_flags },
  { .name = "netlink-set-link", .attempt = set_link },
  { .name = NULL },
};

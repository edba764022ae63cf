/*
 * What the Windows headers say about each item of ffi/: sizes, offsets, values and signatures.
 *
 * Nothing of this is run, so that a target that cannot run here gets its numbers too. Each fact
 * is a comment in the assembly that the compiler writes, with constants as its operands, and
 * `.ci/abi` collects the comments into the tables beside this file. A number that is not a
 * constant does not compile. It is built as C11 with GNU extensions and at least -O1, since a
 * member of a constant structure is a constant only when it is optimized.
 *
 *     struct NAME size alignment
 *     field NAME.FIELD offset code
 *     type NAME code
 *     constant NAME value           (a GUID: its eleven numbers)
 *     function NAME code code ...   (what it returns, then its arguments; so for pointers to one)
 *
 * A code is the size of a type, below zero if it is an integer with a sign, and 0 for void. That a
 * function or a pointer to one has exactly the types that stand here, and the calling convention
 * WINAPI, is asserted.
 */

#define WIN32_LEAN_AND_MEAN
#define _WIN32_WINNT 0x0A00
/* windows.h has some of the kernel's statuses; ntstatus.h, which has all, defines them again. */
#define WIN32_NO_STATUS
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <mswsock.h>
#include <winternl.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <stddef.h>

/* Microsoft's ws2def.h has it; MinGW's headers are older than Windows 10 here. */
#ifndef SO_REUSE_UNICASTPORT
#define SO_REUSE_UNICASTPORT 0x3007
#endif

/* Microsoft's ntstatus.h has the name; MinGW's has it only under the one of winerror.h. */
#ifndef FACILITY_NTWIN32
#define FACILITY_NTWIN32 FACILITY_WIN32
#endif

/* COUNT(...) is the number of its arguments; EACH(f, a, b) is f(a), f(b). */
#define JOIN(a, b) a##b
#define CALL(name, count) JOIN(name, count)
#define PICK(a, b, c, d, e, f, g, h, i, j, k, count, ...) count
#define COUNT(...) PICK(__VA_ARGS__, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define EACH(f, ...) CALL(EACH, COUNT(__VA_ARGS__))(f, __VA_ARGS__)
#define EACH1(f, a) f(a)
#define EACH2(f, a, ...) f(a), EACH1(f, __VA_ARGS__)
#define EACH3(f, a, ...) f(a), EACH2(f, __VA_ARGS__)
#define EACH4(f, a, ...) f(a), EACH3(f, __VA_ARGS__)
#define EACH5(f, a, ...) f(a), EACH4(f, __VA_ARGS__)
#define EACH6(f, a, ...) f(a), EACH5(f, __VA_ARGS__)
#define EACH7(f, a, ...) f(a), EACH6(f, __VA_ARGS__)
#define EACH8(f, a, ...) f(a), EACH7(f, __VA_ARGS__)
#define EACH9(f, a, ...) f(a), EACH8(f, __VA_ARGS__)
#define EACH10(f, a, ...) f(a), EACH9(f, __VA_ARGS__)
#define EACH11(f, a, ...) f(a), EACH10(f, __VA_ARGS__)

/* The places of so many operands. Each is written as $ and digits, and .ci/abi drops the $. */
#define PLACES1 " %0"
#define PLACES2 PLACES1 " %1"
#define PLACES3 PLACES2 " %2"
#define PLACES4 PLACES3 " %3"
#define PLACES5 PLACES4 " %4"
#define PLACES6 PLACES5 " %5"
#define PLACES7 PLACES6 " %6"
#define PLACES8 PLACES7 " %7"
#define PLACES9 PLACES8 " %8"
#define PLACES10 PLACES9 " %9"
#define PLACES11 PLACES10 " %10"

#define OPERAND(number) "i"((long long)(number))
#define OPERAND_CODE(type) OPERAND(CODE(type))
#define LINE(text, ...) \
    __asm__ volatile("# fact: " text CALL(PLACES, COUNT(__VA_ARGS__))::EACH(OPERAND, __VA_ARGS__))
#define LINE_OF_CODES(text, ...) \
    __asm__ volatile( \
        "# fact: " text CALL(PLACES, COUNT(__VA_ARGS__))::EACH(OPERAND_CODE, __VA_ARGS__))

/*
 * Takes a type or an expression. The choice is by a pointer to it: void itself has no values, and
 * an array would be taken for a pointer to its first element.
 */
#define CODE(type) \
    _Generic((__typeof__(type) *)0, \
        void *: 0, \
        signed char *: -1, \
        short *: -2, \
        int *: -4, \
        long *: -4, \
        long long *: -8, \
        default: sizeof(type))

#define SAME(a, b) _Static_assert(__builtin_types_compatible_p(a, b), "another type: " #a)
#define MEMBER(name, path) (((name *)0)->path)

#define STRUCT(name) LINE("struct " #name, sizeof(name), _Alignof(name))
#define FIELD(name, field) FIELD_AT(name, field, field)
/* The field is in a union that ffi/ does without. */
#define FIELD_AT(name, field, path) \
    LINE("field " #name "." #field, offsetof(name, path), CODE(MEMBER(name, path)))
/* MinGW gives it a sign, where Microsoft's headers have the type that is named. */
#define FIELD_AS(name, field, type) \
    _Static_assert(sizeof MEMBER(name, field) == sizeof(type), "another size: " #field); \
    LINE("field " #name "." #field, offsetof(name, field), CODE(type))
#define TYPE(name) LINE("type " #name, CODE(name))
#define CONSTANT(name) LINE("constant " #name, name)
#define POINTER_CONSTANT(name) LINE("constant " #name, (LONG_PTR)(name))
#define GUID_CONSTANT(name) \
    do { \
        static const GUID id = name; \
        LINE("constant " #name, id.Data1, id.Data2, id.Data3, id.Data4[0], id.Data4[1], \
             id.Data4[2], id.Data4[3], id.Data4[4], id.Data4[5], id.Data4[6], id.Data4[7]); \
    } while (0)
#define FUNCTION(name, result, ...) \
    SAME(__typeof__(&name), result(WINAPI *)(__VA_ARGS__)); \
    LINE_OF_CODES("function " #name, result, __VA_ARGS__)
#define FUNCTION_POINTER(name, result, ...) \
    SAME(name, result(WINAPI *)(__VA_ARGS__)); \
    LINE_OF_CODES("function " #name, result, __VA_ARGS__)

void structs(void) {
    STRUCT(OVERLAPPED);
    FIELD(OVERLAPPED, Internal);
    FIELD(OVERLAPPED, InternalHigh);
    FIELD(OVERLAPPED, Offset);
    FIELD(OVERLAPPED, OffsetHigh);
    FIELD(OVERLAPPED, hEvent);

    STRUCT(OVERLAPPED_ENTRY);
    FIELD(OVERLAPPED_ENTRY, lpCompletionKey);
    FIELD(OVERLAPPED_ENTRY, lpOverlapped);
    FIELD(OVERLAPPED_ENTRY, Internal);
    FIELD(OVERLAPPED_ENTRY, dwNumberOfBytesTransferred);

    STRUCT(WSABUF);
    FIELD(WSABUF, len);
    FIELD(WSABUF, buf);

    STRUCT(GUID);
    FIELD(GUID, Data1);
    FIELD(GUID, Data2);
    FIELD(GUID, Data3);
    FIELD(GUID, Data4);

    STRUCT(WSAPROTOCOLCHAIN);
    FIELD(WSAPROTOCOLCHAIN, ChainLen);
    FIELD(WSAPROTOCOLCHAIN, ChainEntries);

    STRUCT(WSAPROTOCOL_INFOW);
    FIELD(WSAPROTOCOL_INFOW, dwServiceFlags1);
    FIELD(WSAPROTOCOL_INFOW, dwServiceFlags2);
    FIELD(WSAPROTOCOL_INFOW, dwServiceFlags3);
    FIELD(WSAPROTOCOL_INFOW, dwServiceFlags4);
    FIELD(WSAPROTOCOL_INFOW, dwProviderFlags);
    FIELD(WSAPROTOCOL_INFOW, ProviderId);
    FIELD(WSAPROTOCOL_INFOW, dwCatalogEntryId);
    FIELD(WSAPROTOCOL_INFOW, ProtocolChain);
    FIELD(WSAPROTOCOL_INFOW, iVersion);
    FIELD(WSAPROTOCOL_INFOW, iAddressFamily);
    FIELD(WSAPROTOCOL_INFOW, iMaxSockAddr);
    FIELD(WSAPROTOCOL_INFOW, iMinSockAddr);
    FIELD(WSAPROTOCOL_INFOW, iSocketType);
    FIELD(WSAPROTOCOL_INFOW, iProtocol);
    FIELD(WSAPROTOCOL_INFOW, iProtocolMaxOffset);
    FIELD(WSAPROTOCOL_INFOW, iNetworkByteOrder);
    FIELD(WSAPROTOCOL_INFOW, iSecurityScheme);
    FIELD(WSAPROTOCOL_INFOW, dwMessageSize);
    FIELD(WSAPROTOCOL_INFOW, dwProviderReserved);
    FIELD(WSAPROTOCOL_INFOW, szProtocol);

    STRUCT(SOCKADDR);
    FIELD(SOCKADDR, sa_family);
    FIELD(SOCKADDR, sa_data);

    STRUCT(IN_ADDR);
    FIELD_AT(IN_ADDR, S_addr, S_un.S_addr);

    STRUCT(SOCKADDR_IN);
    FIELD_AS(SOCKADDR_IN, sin_family, ADDRESS_FAMILY);
    FIELD(SOCKADDR_IN, sin_port);
    FIELD(SOCKADDR_IN, sin_addr);
    FIELD(SOCKADDR_IN, sin_zero);

    STRUCT(IN6_ADDR);
    FIELD_AT(IN6_ADDR, Byte, u.Byte);

    STRUCT(SOCKADDR_IN6);
    FIELD_AS(SOCKADDR_IN6, sin6_family, ADDRESS_FAMILY);
    FIELD(SOCKADDR_IN6, sin6_port);
    FIELD(SOCKADDR_IN6, sin6_flowinfo);
    FIELD(SOCKADDR_IN6, sin6_addr);
    FIELD(SOCKADDR_IN6, sin6_scope_id);
}

void types(void) {
    TYPE(BOOL);
    TYPE(DWORD);
    TYPE(GROUP);
    TYPE(HANDLE);
    TYPE(NTSTATUS);
    TYPE(SOCKET);
    TYPE(UCHAR);
    TYPE(ULONG);
    TYPE(ULONG_PTR);
    TYPE(USHORT);
    TYPE(WSAOVERLAPPED);
    TYPE(ADDRESS_FAMILY);
}

void constants(void) {
    CONSTANT(FALSE);
    CONSTANT(TRUE);
    POINTER_CONSTANT(INVALID_HANDLE_VALUE);
    CONSTANT(INFINITE);
    CONSTANT(WAIT_IO_COMPLETION);
    CONSTANT(FILE_SKIP_COMPLETION_PORT_ON_SUCCESS);
    CONSTANT(FILE_SKIP_SET_EVENT_ON_HANDLE);
    CONSTANT(AF_INET);
    CONSTANT(AF_INET6);
    CONSTANT(SOCK_STREAM);
    CONSTANT(IPPROTO_TCP);
    CONSTANT(SOL_SOCKET);
    CONSTANT(SIO_GET_EXTENSION_FUNCTION_POINTER);
    CONSTANT(INVALID_SOCKET);
    CONSTANT(SOCKET_ERROR);
    CONSTANT(WSA_FLAG_OVERLAPPED);
    CONSTANT(WSA_FLAG_NO_HANDLE_INHERIT);
    CONSTANT(SO_TYPE);
    CONSTANT(SO_REUSE_UNICASTPORT);
    CONSTANT(SO_PROTOCOL_INFOW);
    CONSTANT(XP1_IFS_HANDLES);
    CONSTANT(WSA_OPERATION_ABORTED);
    CONSTANT(WSA_IO_PENDING);
    CONSTANT(SO_UPDATE_ACCEPT_CONTEXT);
    CONSTANT(SO_UPDATE_CONNECT_CONTEXT);
    CONSTANT(ERROR_INVALID_HANDLE);
    CONSTANT(ERROR_HANDLE_EOF);
    CONSTANT(ERROR_NETNAME_DELETED);
    CONSTANT(ERROR_INVALID_PARAMETER);
    CONSTANT(ERROR_BROKEN_PIPE);
    CONSTANT(ERROR_NO_DATA);
    CONSTANT(ERROR_MORE_DATA);
    CONSTANT(WAIT_TIMEOUT);
    CONSTANT(ERROR_ABANDONED_WAIT_0);
    CONSTANT(ERROR_OPERATION_ABORTED);
    CONSTANT(ERROR_IO_PENDING);
    CONSTANT(ERROR_NOT_FOUND);
    CONSTANT(WSAEINTR);
    CONSTANT(WSAEACCES);
    CONSTANT(WSAEFAULT);
    CONSTANT(WSAEINVAL);
    CONSTANT(WSAEWOULDBLOCK);
    CONSTANT(WSAENOTSOCK);
    CONSTANT(WSAEMSGSIZE);
    CONSTANT(WSAEOPNOTSUPP);
    CONSTANT(WSAEAFNOSUPPORT);
    CONSTANT(WSAEADDRINUSE);
    CONSTANT(WSAEADDRNOTAVAIL);
    CONSTANT(WSAENETDOWN);
    CONSTANT(WSAENETUNREACH);
    CONSTANT(WSAECONNABORTED);
    CONSTANT(WSAECONNRESET);
    CONSTANT(WSAENOBUFS);
    CONSTANT(WSAEISCONN);
    CONSTANT(WSAENOTCONN);
    CONSTANT(WSAESHUTDOWN);
    CONSTANT(WSAETIMEDOUT);
    CONSTANT(WSAECONNREFUSED);
    CONSTANT(WSAEHOSTDOWN);
    CONSTANT(WSAEHOSTUNREACH);
    CONSTANT(WSANOTINITIALISED);
    CONSTANT(WSAEDISCON);
    CONSTANT(STATUS_SUCCESS);
    CONSTANT(STATUS_USER_APC);
    CONSTANT(STATUS_TIMEOUT);
    CONSTANT(STATUS_PENDING);
    CONSTANT(STATUS_CANCELLED);
    CONSTANT(STATUS_REQUEST_ABORTED);
    CONSTANT(STATUS_CONNECTION_RESET);
    CONSTANT(STATUS_REMOTE_DISCONNECT);
    CONSTANT(STATUS_CONNECTION_DISCONNECTED);
    CONSTANT(STATUS_LINK_FAILED);
    CONSTANT(STATUS_PORT_UNREACHABLE);
    CONSTANT(STATUS_HOPLIMIT_EXCEEDED);
    CONSTANT(STATUS_LOCAL_DISCONNECT);
    CONSTANT(STATUS_CONNECTION_ABORTED);
    CONSTANT(STATUS_TRANSACTION_ABORTED);
    CONSTANT(STATUS_CONNECTION_REFUSED);
    CONSTANT(STATUS_REMOTE_NOT_LISTENING);
    CONSTANT(STATUS_IO_TIMEOUT);
    CONSTANT(STATUS_LINK_TIMEOUT);
    CONSTANT(STATUS_NETWORK_UNREACHABLE);
    CONSTANT(STATUS_PROTOCOL_UNREACHABLE);
    CONSTANT(STATUS_BAD_NETWORK_PATH);
    CONSTANT(STATUS_HOST_UNREACHABLE);
    CONSTANT(STATUS_HOST_DOWN);
    CONSTANT(STATUS_BUFFER_OVERFLOW);
    CONSTANT(STATUS_INVALID_BUFFER_SIZE);
    CONSTANT(STATUS_INSUFFICIENT_RESOURCES);
    CONSTANT(STATUS_PAGEFILE_QUOTA);
    CONSTANT(STATUS_WORKING_SET_QUOTA);
    CONSTANT(STATUS_QUOTA_EXCEEDED);
    CONSTANT(STATUS_NO_MEMORY);
    CONSTANT(STATUS_COMMITMENT_LIMIT);
    CONSTANT(STATUS_TOO_MANY_PAGING_FILES);
    CONSTANT(STATUS_REMOTE_RESOURCES);
    CONSTANT(STATUS_CONFLICTING_ADDRESSES);
    CONSTANT(STATUS_TOO_MANY_ADDRESSES);
    CONSTANT(STATUS_ADDRESS_ALREADY_EXISTS);
    CONSTANT(STATUS_SHARING_VIOLATION);
    CONSTANT(STATUS_INVALID_ADDRESS);
    CONSTANT(STATUS_INVALID_ADDRESS_COMPONENT);
    CONSTANT(STATUS_CONNECTION_ACTIVE);
    CONSTANT(STATUS_INVALID_CONNECTION);
    CONSTANT(STATUS_PIPE_DISCONNECTED);
    CONSTANT(STATUS_GRACEFUL_DISCONNECT);
    CONSTANT(STATUS_INVALID_HANDLE);
    CONSTANT(STATUS_OBJECT_TYPE_MISMATCH);
    CONSTANT(STATUS_BUFFER_TOO_SMALL);
    CONSTANT(STATUS_ACCESS_VIOLATION);
    CONSTANT(STATUS_DATATYPE_MISALIGNMENT_ERROR);
    CONSTANT(STATUS_DEVICE_NOT_READY);
    CONSTANT(STATUS_REQUEST_NOT_ACCEPTED);
    CONSTANT(STATUS_NETWORK_BUSY);
    CONSTANT(STATUS_INVALID_NETWORK_RESPONSE);
    CONSTANT(STATUS_UNEXPECTED_NETWORK_ERROR);
    CONSTANT(STATUS_NO_SUCH_DEVICE);
    CONSTANT(STATUS_NO_SUCH_FILE);
    CONSTANT(STATUS_OBJECT_NAME_NOT_FOUND);
    CONSTANT(STATUS_OBJECT_PATH_NOT_FOUND);
    CONSTANT(STATUS_NOT_SUPPORTED);
    CONSTANT(STATUS_NOT_IMPLEMENTED);
    CONSTANT(STATUS_ACCESS_DENIED);
    CONSTANT(STATUS_END_OF_FILE);
    CONSTANT(STATUS_PIPE_BROKEN);
    CONSTANT(STATUS_PIPE_EMPTY);
    CONSTANT(FACILITY_NTWIN32);
    GUID_CONSTANT(WSAID_ACCEPTEX);
    GUID_CONSTANT(WSAID_GETACCEPTEXSOCKADDRS);
    GUID_CONSTANT(WSAID_CONNECTEX);
}

void functions(void) {
    FUNCTION(CreateIoCompletionPort, HANDLE, HANDLE, HANDLE, ULONG_PTR, DWORD);
    FUNCTION(GetQueuedCompletionStatus, BOOL, HANDLE, DWORD *, ULONG_PTR *, OVERLAPPED **, DWORD);
    FUNCTION(GetQueuedCompletionStatusEx, BOOL, HANDLE, OVERLAPPED_ENTRY *, ULONG, ULONG *, DWORD,
             BOOL);
    FUNCTION(PostQueuedCompletionStatus, BOOL, HANDLE, DWORD, ULONG_PTR, OVERLAPPED *);
    FUNCTION(CancelIoEx, BOOL, HANDLE, OVERLAPPED *);
    FUNCTION(CloseHandle, BOOL, HANDLE);
    FUNCTION(SetFileCompletionNotificationModes, BOOL, HANDLE, UCHAR);
    FUNCTION(WSASocketW, SOCKET, int, int, int, WSAPROTOCOL_INFOW *, GROUP, DWORD);
    FUNCTION(bind, int, SOCKET, const SOCKADDR *, int);
    FUNCTION(getsockopt, int, SOCKET, int, int, char *, int *);
    FUNCTION(setsockopt, int, SOCKET, int, int, const char *, int);
    FUNCTION(WSAIoctl, int, SOCKET, DWORD, void *, DWORD, void *, DWORD, DWORD *, WSAOVERLAPPED *,
             LPWSAOVERLAPPED_COMPLETION_ROUTINE);
    FUNCTION(WSARecv, int, SOCKET, WSABUF *, DWORD, DWORD *, DWORD *, WSAOVERLAPPED *,
             LPWSAOVERLAPPED_COMPLETION_ROUTINE);
    FUNCTION(WSASend, int, SOCKET, WSABUF *, DWORD, DWORD *, DWORD, WSAOVERLAPPED *,
             LPWSAOVERLAPPED_COMPLETION_ROUTINE);
    FUNCTION(WSAGetLastError, int, void);
    FUNCTION_POINTER(LPWSAOVERLAPPED_COMPLETION_ROUTINE, void, DWORD, DWORD, WSAOVERLAPPED *,
                     DWORD);
    FUNCTION_POINTER(LPFN_ACCEPTEX, BOOL, SOCKET, SOCKET, void *, DWORD, DWORD, DWORD, DWORD *,
                     OVERLAPPED *);
    FUNCTION_POINTER(LPFN_GETACCEPTEXSOCKADDRS, void, void *, DWORD, DWORD, DWORD, SOCKADDR **,
                     int *, SOCKADDR **, int *);
    FUNCTION_POINTER(LPFN_CONNECTEX, BOOL, SOCKET, const SOCKADDR *, int, void *, DWORD, DWORD *,
                     OVERLAPPED *);
}

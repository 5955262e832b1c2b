"""Asks the windows of a program to close, as the button of a title bar does: close_window.py DISPLAY PID [--look].

With --look it only says, by its exit code, whether there are any.

There is no window manager on the tests' screen, so the message it would send (WM_DELETE_WINDOW, ICCCM 4.2.8.1) is sent
from here.
"""

import ctypes
import sys

CLIENT_MESSAGE = 33
ANY_TYPE = 0
VIEWABLE = 2


class ClientMessage(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("rest", ctypes.c_byte * 192),
    ]


class Attributes(ctypes.Structure):
    _fields_ = [
        ("geometry", ctypes.c_int * 6),
        ("visual", ctypes.c_void_p),
        ("root", ctypes.c_ulong),
        ("classes", ctypes.c_int * 4),
        ("planes", ctypes.c_ulong * 2),
        ("save_under", ctypes.c_int),
        ("colormap", ctypes.c_ulong),
        ("map_installed", ctypes.c_int),
        ("map_state", ctypes.c_int),
        ("rest", ctypes.c_byte * 64),
    ]


x11 = ctypes.CDLL("libX11.so.6")
# A window may go while it is looked at; what is asked of it then has no answer, which is answer enough.
ERROR_HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda display, error: 0)
x11.XSetErrorHandler(ERROR_HANDLER)
x11.XOpenDisplay.restype = ctypes.c_void_p
x11.XInternAtom.restype = x11.XDefaultRootWindow.restype = ctypes.c_ulong


def windows(display, window):
    """A window and all below it."""
    yield window
    root, parent, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_uint()
    children = ctypes.POINTER(ctypes.c_ulong)()
    x11.XQueryTree(
        display, ctypes.c_ulong(window), ctypes.byref(root), ctypes.byref(parent), ctypes.byref(children), ctypes.byref(count)
    )
    for at in range(count.value):
        yield from windows(display, children[at])


def cardinals(display, window, name):
    """The values of a property of 32-bit items; none if the window does not have it."""
    kind, form, count, rest = ctypes.c_ulong(), ctypes.c_int(), ctypes.c_ulong(), ctypes.c_ulong()
    values = ctypes.POINTER(ctypes.c_ulong)()
    x11.XGetWindowProperty(
        display, ctypes.c_ulong(window), ctypes.c_ulong(atom(display, name)), ctypes.c_long(0), ctypes.c_long(16), 0,
        ctypes.c_ulong(ANY_TYPE), ctypes.byref(kind), ctypes.byref(form), ctypes.byref(count), ctypes.byref(rest),
        ctypes.byref(values),
    )
    return values[: count.value] if form.value == 32 else []


def is_shown(display, window):
    """A program has windows besides that are never shown."""
    attributes = Attributes()
    x11.XGetWindowAttributes(display, ctypes.c_ulong(window), ctypes.byref(attributes))
    return attributes.map_state == VIEWABLE


def atom(display, name):
    return x11.XInternAtom(display, name.encode(), 0)


def main(name, pid, look):
    opened = x11.XOpenDisplay(name.encode())
    if not opened:
        sys.exit(f"there is no display {name}")
    display = ctypes.c_void_p(opened)
    delete = atom(display, "WM_DELETE_WINDOW")
    closed = 0
    for window in windows(display, x11.XDefaultRootWindow(display)):
        if cardinals(display, window, "_NET_WM_PID") != [pid] or delete not in cardinals(display, window, "WM_PROTOCOLS"):
            continue
        if not is_shown(display, window):
            continue
        closed += 1
        if look:
            continue
        event = ClientMessage(type=CLIENT_MESSAGE, window=window, message_type=atom(display, "WM_PROTOCOLS"), format=32)
        event.data[0] = delete
        x11.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(event))
    x11.XSync(display, 0)
    if not closed:
        sys.exit(f"process {pid} has no window on {name}")


main(sys.argv[1], int(sys.argv[2]), sys.argv[3:] == ["--look"])

// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"encoding/binary"
	"os"
	"syscall"
	"time"
	"unsafe"
)

const clockMonotonic = 1

// Wakes when it should, within some ten microseconds: Go's own timers may be a millisecond late in a process that has
// nothing else to do. A timerfd, read through Go's poller, so that no thread is blocked meanwhile. kloop's sender is
// woken in the same way.
type alarm struct {
	file *os.File
	fd   uintptr
}

func newAlarm() (*alarm, error) {
	fd, _, errno := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, clockMonotonic,
		syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errno != 0 {
		return nil, errno
	}
	return &alarm{os.NewFile(fd, "timerfd"), fd}, nil
}

func (a *alarm) sleep(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	// An interval of zero: once.
	setting := [2]syscall.Timespec{1: syscall.NsecToTimespec(d.Nanoseconds())}
	if _, _, errno := syscall.Syscall6(syscall.SYS_TIMERFD_SETTIME, a.fd, 0,
		uintptr(unsafe.Pointer(&setting)), 0, 0, 0); errno != 0 {
		return errno
	}
	var times uint64
	return binary.Read(a.file, binary.LittleEndian, &times)
}

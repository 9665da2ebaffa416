// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"fmt"
	"math/bits"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

const mb = 1 << 20

// The histogram of cli/histogram.c: exact below 256, within 0.8 % above.
const (
	halfBits = 7
	half     = 1 << halfBits
	topBits  = 40
	slots    = (topBits - halfBits + 1) << halfBits
)

type histogram struct {
	count, max uint64
	slots      [slots]uint64
}

func (h *histogram) add(us uint64) {
	h.count++
	if us > h.max {
		h.max = us
	}
	if us >= 1<<topBits {
		us = 1<<topBits - 1
	}
	shift := 0
	if n := bits.Len64(us | 1); n > halfBits+1 {
		shift = n - halfBits - 1
	}
	h.slots[uint64(shift)*half+us>>uint(shift)]++
}

// In milliseconds: the value below which so many of a million lie.
func (h *histogram) at(perMillion uint64) float64 {
	rank := h.count * perMillion / 1000000
	if h.count == 0 {
		return 0
	}
	var seen uint64
	for slot, n := range h.slots {
		seen += n
		if seen > rank {
			return float64(least(topOf(uint64(slot)), h.max)) / 1e3
		}
	}
	return float64(h.max) / 1e3
}

func topOf(slot uint64) uint64 {
	if slot < 2*half {
		return slot
	}
	return (slot%half+half+1)<<(slot/half-1) - 1
}

func least(a, b uint64) uint64 {
	if a < b {
		return a
	}
	return b
}

// What became of the records. All but start belongs to the promises, which franz-go runs one after the other, until
// all of them have run.
type tally struct {
	start    time.Time // after the first record
	end      time.Time // when the last record ended
	want     uint64
	ended    uint64
	ok       uint64
	latency  histogram // us, of the records that are timed
	intended histogram
}

func (t *tally) acked() {
	t.ok++
	t.endOne()
}

func (t *tally) timed(sent time.Time, lag time.Duration) {
	age := time.Since(sent)
	t.latency.add(uint64(age.Microseconds()))
	t.intended.add(uint64((age + lag).Microseconds()))
}

func (t *tally) lost(err error) {
	if t.ok == t.ended {
		fmt.Fprintln(os.Stderr, "the first record that was not delivered:", err)
	}
	t.endOne()
}

func (t *tally) endOne() {
	t.ended++
	if t.ended == t.want {
		t.end = time.Now()
	}
}

// How many threads the process has; Go's never end.
func threads() (n int) {
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		if _, err := fmt.Sscanf(line, "Threads: %d", &n); err == nil {
			break
		}
	}
	return n
}

func version() string {
	if info, found := debug.ReadBuildInfo(); found {
		for _, module := range info.Deps {
			if module.Path == "github.com/twmb/franz-go" {
				return module.Version + " " + runtime.Version()
			}
		}
	}
	return "unknown"
}

func seconds(t syscall.Timeval) float64 {
	return time.Duration(t.Nano()).Seconds()
}

// The line.
func (t *tally) print(j *job, threads int) error {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return err
	}
	wall := t.end.Sub(t.start).Seconds()
	perSecond := 0.0
	if t.ok > 1 && wall > 0 {
		perSecond = float64(t.ok-1) / wall
	}
	user, system := seconds(usage.Utime), seconds(usage.Stime)
	l := &t.latency
	fmt.Printf(`{"records":%d,"ok":%d,"failed":%d,"unknown":0,"wall_s":%.6f,"rec_per_s":%.1f,"mb_per_s":%.3f`,
		t.ended, t.ok, t.ended-t.ok, wall, perSecond, perSecond*float64(j.size)/mb)
	fmt.Printf(`,"user_s":%.6f,"sys_s":%.6f,"cpu_ns_per_record":%.2f,"max_rss_kb":%d`,
		user, system, (user+system)*1e9/float64(t.ended), usage.Maxrss)
	fmt.Printf(`,"p50_ms":%.3f,"p95_ms":%.3f,"p99_ms":%.3f,"p999_ms":%.3f,"max_ms":%.3f`,
		l.at(500000), l.at(950000), l.at(990000), l.at(999000), float64(l.max)/1e3)
	if j.rate > 0 {
		i := &t.intended
		fmt.Printf(`,"intended_p50_ms":%.3f,"intended_p99_ms":%.3f,"intended_max_ms":%.3f`,
			i.at(500000), i.at(990000), float64(i.max)/1e3)
	}
	fmt.Printf(",\"threads\":%d,\"vcsw\":%d,\"ivcsw\":%d,\"client\":\"franz-go\",\"version\":\"%s\"}\n",
		threads, usage.Nvcsw, usage.Nivcsw, version())
	return nil
}

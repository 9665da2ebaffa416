// SPDX-License-Identifier: BSD-2-Clause

// The work of `kloop perf`, done by franz-go: the same bytes, counted and timed the same way. Flags as in
// ../peer_job.h, the line that comes out as in ../peer_tally.h.
//
//	open -> the first record, delivered -> sending -> flush -> the line
package main

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
)

// What it is told to send.
type job struct {
	bootstrap  string
	topic      string
	records    uint64  // at least 2
	size       int     // of a record
	rate       float64 // records a second; 0: as fast as possible
	partitions int     // record n goes to partition n % partitions; 0: the client chooses
	properties properties
}

func parse(arguments []string) (*job, error) {
	j := &job{properties: presets()}
	flags := flag.NewFlagSet("franz_go_perf", flag.ContinueOnError)
	flags.StringVar(&j.bootstrap, "bootstrap-server", "", "`HOST:PORT`,...")
	flags.StringVar(&j.topic, "topic", "", "where to")
	flags.Uint64Var(&j.records, "num-records", 0, "how many records, at least 2")
	flags.IntVar(&j.size, "record-size", 0, "bytes of each")
	flags.Float64Var(&j.rate, "throughput", -1, "records a second; -1: as fast as possible")
	flags.IntVar(&j.partitions, "round-robin", 0, "record n goes to partition n modulo this `number`")
	flags.Var(j.properties, "X", "`key=value` of the configuration, in Java's names")
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	if j.rate == 0 {
		return nil, errors.New("--throughput: records a second, or -1, is wanted, not 0")
	}
	j.rate = math.Max(j.rate, 0)
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("'%s' belongs to no flag", flags.Arg(0))
	}
	if j.bootstrap == "" || j.topic == "" || j.records < 2 || j.size < 0 || j.partitions < 0 {
		return nil, errors.New("wanted at least: --bootstrap-server, --topic, --num-records 2 or more")
	}
	return j, nil
}

func main() {
	j, err := parse(os.Args[1:])
	if err == nil {
		_, err = options(j)
	}
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "franz_go_perf:", err)
		}
		os.Exit(2)
	}
	delivered, err := work(j)
	if err != nil {
		fmt.Fprintln(os.Stderr, "franz_go_perf:", err)
	}
	if err != nil || !delivered {
		os.Exit(1)
	}
}

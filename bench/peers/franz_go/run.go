// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// As in ../peer_job.h.
const (
	groupRecordsMax = 64
	groupBytesMax   = 32 << 10
	highRate        = 8000
	nap             = 250 * time.Microsecond
	longNap         = 2 * time.Millisecond
)

// A run of the job. Records are taken from a pool and go back when their promise has run: what a careful user does.
type run struct {
	job     *job
	tally   tally
	payload *payload
	client  *kgo.Client
	pool    sync.Pool
}

func (r *run) record(n uint64) *kgo.Record {
	record := r.pool.Get().(*kgo.Record)
	*record = kgo.Record{Topic: r.job.topic, Value: r.payload.next()}
	if r.job.partitions > 0 {
		record.Partition = int32(n % uint64(r.job.partitions))
	}
	return record
}

// The promise of a record that is not timed.
func (r *run) ended(record *kgo.Record, err error) {
	if err != nil {
		r.tally.lost(err)
	} else {
		r.tally.acked()
	}
	r.pool.Put(record)
}

// The promise of one that is.
func (r *run) timed(sent time.Time, lag time.Duration) func(*kgo.Record, error) {
	return func(record *kgo.Record, err error) {
		if err == nil {
			r.tally.timed(sent, lag)
		}
		r.ended(record, err)
	}
}

// The first one of each group is timed, and stands for the others.
func (r *run) sendAll() {
	group := uint64(groupRecordsMax)
	if r.job.size > groupBytesMax/groupRecordsMax {
		group = uint64(groupBytesMax / least(uint64(r.job.size), groupBytesMax))
	}
	background := context.Background()
	untimed := r.ended
	for n := uint64(1); n < r.job.records; n++ {
		promise := untimed
		if (n-1)%group == 0 {
			promise = r.timed(time.Now(), 0)
		}
		r.client.Produce(background, r.record(n), promise)
	}
}

func (r *run) sendAtRate() error {
	alarm, err := newAlarm()
	if err != nil {
		return err
	}
	background := context.Background()
	period := 1e9 / r.job.rate
	now, burst := r.tally.start, r.tally.start
	shortest := nap
	if r.job.rate >= highRate {
		shortest = longNap
	}
	for n := uint64(1); n < r.job.records; n++ {
		due := r.tally.start.Add(time.Duration(float64(n-1) * period))
		if due.After(now) || n%groupRecordsMax == 0 {
			now = time.Now()
		}
		if due.After(now) {
			at := burst.Add(shortest)
			if due.After(at) {
				at = due
			}
			if err := alarm.sleep(at.Sub(now)); err != nil {
				return err
			}
			now = time.Now()
			burst = due
		}
		r.client.Produce(background, r.record(n), r.timed(now, now.Sub(due)))
	}
	return nil
}

// true: all records were delivered.
func work(j *job) (bool, error) {
	opts, err := options(j)
	if err != nil {
		return false, err
	}
	r := &run{job: j, payload: newPayload(j.size)}
	r.pool.New = func() interface{} { return new(kgo.Record) }
	r.tally.want = j.records
	if r.client, err = kgo.NewClient(opts...); err != nil {
		return false, err
	}
	first := r.client.ProduceSync(context.Background(), r.record(0))
	if err := first.FirstErr(); err != nil {
		return false, err
	}
	r.tally.acked()
	r.tally.start = time.Now()
	if j.rate > 0 {
		err = r.sendAtRate()
	} else {
		r.sendAll()
	}
	if err != nil {
		return false, err
	}
	if err := r.client.Flush(context.Background()); err != nil {
		return false, err
	}
	n := threads()
	r.client.Close()
	return r.tally.ok == j.records, r.tally.print(j, n)
}

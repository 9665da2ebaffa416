// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Java's keys, each with its value.
type properties map[string]string

func presets() properties {
	return properties{
		"acks":                                  "all",
		"batch.size":                            "1000000",
		"buffer.memory":                         "67108864",
		"compression.type":                      "none",
		"delivery.timeout.ms":                   "120000",
		"enable.idempotence":                    "true",
		"linger.ms":                             "5",
		"max.in.flight.requests.per.connection": "5",
	}
}

func (p properties) String() string {
	return ""
}

func (p properties) Set(pair string) error {
	key, value, found := strings.Cut(pair, "=")
	if !found {
		return fmt.Errorf("key=value is wanted, not '%s'", pair)
	}
	if _, known := p[key]; !known {
		var keys []string
		for k := range p {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		return fmt.Errorf("%s: this key is not known here; known are: %s", key, strings.Join(keys, " "))
	}
	p[key] = value
	return nil
}

func (p properties) number(key string) (int, error) {
	n, err := strconv.ParseInt(p[key], 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s '%s': a number from 0 to %d is wanted", key, p[key], math.MaxInt32)
	}
	return int(n), nil
}

func (p properties) ms(key string) (time.Duration, error) {
	n, err := p.number(key)
	return time.Duration(n) * time.Millisecond, err
}

var acks = map[string]kgo.Acks{
	"all": kgo.AllISRAcks(), "-1": kgo.AllISRAcks(), "1": kgo.LeaderAck(), "0": kgo.NoAck(),
}

var codecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

// What the properties mean to franz-go.
func options(j *job) ([]kgo.Opt, error) {
	p := j.properties
	batch, err := p.number("batch.size")
	if err != nil {
		return nil, err
	}
	buffer, err := p.number("buffer.memory")
	if err != nil {
		return nil, err
	}
	flights, err := p.number("max.in.flight.requests.per.connection")
	if err != nil {
		return nil, err
	}
	linger, err := p.ms("linger.ms")
	if err != nil {
		return nil, err
	}
	timeout, err := p.ms("delivery.timeout.ms")
	if err != nil {
		return nil, err
	}
	idempotent, err := strconv.ParseBool(p["enable.idempotence"])
	if err != nil {
		return nil, fmt.Errorf("enable.idempotence '%s': true or false is wanted", p["enable.idempotence"])
	}
	ack, known := acks[p["acks"]]
	if !known {
		return nil, fmt.Errorf("acks '%s': all, -1, 1 or 0 is wanted", p["acks"])
	}
	codec, known := codecs[p["compression.type"]]
	if !known {
		return nil, fmt.Errorf("compression.type '%s': none, gzip, snappy, lz4 or zstd is wanted", p["compression.type"])
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(strings.Split(j.bootstrap, ",")...),
		kgo.ProducerBatchMaxBytes(int32(batch)),
		kgo.MaxBufferedBytes(buffer),
		// Bytes are the limit, as in kloop.
		kgo.MaxBufferedRecords(math.MaxInt32),
		kgo.ProducerLinger(linger),
		kgo.RecordDeliveryTimeout(timeout),
		kgo.RequiredAcks(ack),
		kgo.ProducerBatchCompression(codec),
	}
	if !idempotent {
		// With idempotence the number is franz-go's own.
		opts = append(opts, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(flights))
	}
	if j.partitions > 0 {
		opts = append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	}
	return opts, nil
}

// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"encoding/binary"
	"math/bits"
)

// As many bytes as kloop's ring of letters has.
const ringBytes = 2097143

// The random letters of `kloop perf`, byte for byte: a window of the record's size that moves over a ring.
type payload struct {
	ring []byte
	size int
	at   int
}

// xoshiro256**, its state filled by splitmix64 from 0: base/prng.c
type generator [4]uint64

func newGenerator() generator {
	var g generator
	var seed uint64
	for i := range g {
		seed += 0x9e3779b97f4a7c15
		x := seed
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		g[i] = x ^ x>>31
	}
	return g
}

func (g *generator) next() uint64 {
	number := bits.RotateLeft64(g[1]*5, 7) * 9
	t := g[1] << 17
	g[2] ^= g[0]
	g[3] ^= g[1]
	g[1] ^= g[2]
	g[0] ^= g[3]
	g[2] ^= t
	g[3] = bits.RotateLeft64(g[3], 45)
	return number
}

// Each byte b becomes 'A' + b * 26 / 256, four at a time, as in cli/perf_payload.c.
func eightLetters(random uint64) uint64 {
	const low = 0x00FF00FF00FF00FF
	even := (random & low * 26 >> 8) & low
	odd := (random >> 8 & low * 26) &^ low
	return (even | odd) + 'A'*0x0101010101010101
}

func newPayload(size int) *payload {
	g := newGenerator()
	ring := make([]byte, 0, ringBytes+size+8)
	for len(ring) < ringBytes+size {
		ring = binary.LittleEndian.AppendUint64(ring, eightLetters(g.next()))
	}
	return &payload{ring: ring, size: size}
}

// The bytes stay as they are for ever: no copy is needed.
func (p *payload) next() []byte {
	value := p.ring[p.at : p.at+p.size : p.at+p.size]
	p.at += p.size
	if p.at >= ringBytes {
		p.at %= ringBytes
	}
	return value
}

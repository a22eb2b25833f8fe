package simulator

import (
	"encoding/hex"
	"fmt"
)

// hexID makes an id as Keystone's are.
func (s *Simulator) hexID() string {
	b := make([]byte, 16)
	for i := range b {
		b[i] = byte(s.rng.UintN(256))
	}
	return hex.EncodeToString(b)
}

// uuid makes an id as Nova's and Heat's are.
func (s *Simulator) uuid() string {
	h := s.hexID()
	return fmt.Sprintf("%s-%s-4%s-8%s-%s", h[:8], h[8:12], h[13:16], h[17:20], h[20:])
}

// letters makes a random name as Heat appends to nested stacks.
func (s *Simulator) letters(n int) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz234567"
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[s.rng.IntN(len(alphabet))]
	}
	return string(b)
}

func (s *Simulator) requestID() string { return "req-" + s.uuid() }

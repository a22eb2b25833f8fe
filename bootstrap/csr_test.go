package bootstrap

import "encoding/pem"

func decodeBlock(text []byte) (der, rest []byte) {
	block, rest := pem.Decode(text)
	return block.Bytes, rest
}

func encodeBlock(der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}) }

package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
)

// drawLogo makes deploy/murano/logo.png: nodes in a group, the last one just being added.
func drawLogo() ([]byte, error) {
	const size, cell, gap = 96, 20, 8
	back, node, added := color.RGBA{0x1f, 0x3a, 0x5f, 0xff}, color.RGBA{0xf2, 0xf5, 0xf9, 0xff}, color.RGBA{0x5f, 0xd0, 0x8a, 0xff}
	logo := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{back, node, added})
	const start = (size - 3*cell - 2*gap) / 2
	for i := range 9 {
		left, top := start+i%3*(cell+gap), start+i/3*(cell+gap)
		fill := uint8(1)
		if i == 8 {
			fill = 2
		}
		for y := top; y < top+cell; y++ {
			for x := left; x < left+cell; x++ {
				logo.SetColorIndex(x, y, fill)
			}
		}
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, logo); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

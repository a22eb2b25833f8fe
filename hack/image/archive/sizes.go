package archive

import (
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Sizes tells the bytes of an image's layers, as they are pulled and as they are kept.
func Sizes(image v1.Image) (packed, unpacked int64, err error) {
	layers, err := image.Layers()
	if err != nil {
		return 0, 0, err
	}
	for _, one := range layers {
		size, err := one.Size()
		if err != nil {
			return 0, 0, err
		}
		content, err := one.Uncompressed()
		if err != nil {
			return 0, 0, err
		}
		plain, err := io.Copy(io.Discard, content)
		_ = content.Close()
		if err != nil {
			return 0, 0, err
		}
		packed, unpacked = packed+size, unpacked+plain
	}
	return packed, unpacked, nil
}

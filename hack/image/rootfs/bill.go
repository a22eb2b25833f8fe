package rootfs

import (
	"bytes"
	"crypto/sha256"
	"os"
	"runtime/debug"
	"time"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	"github.com/CycloneDX/cyclonedx-gomod/pkg/generate/bin"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
)

// maker is the module that makes the lists.
const maker = "github.com/CycloneDX/cyclonedx-gomod"

// bill lists the modules that are linked into a program, as the program itself says, in CycloneDX's form. Unlike the maker's own
// command it has the time of the sources and a serial number that follows from the program, so that it is the same every time.
func bill(program, version string, created time.Time) ([]byte, error) {
	generator, err := bin.NewGenerator(program, bin.WithIncludeStdlib(true), bin.WithVersionOverride(version), bin.WithLogger(zerolog.Nop()))
	if err != nil {
		return nil, err
	}
	bom, err := generator.Generate()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(text)
	bom.SerialNumber = uuid.NewSHA1(uuid.NameSpaceOID, digest[:]).URN()
	bom.Metadata.Timestamp = created.UTC().Format(time.RFC3339)
	bom.Metadata.Tools = &cyclonedx.ToolsChoice{Components: &[]cyclonedx.Component{
		{Type: cyclonedx.ComponentTypeApplication, Name: maker, Version: makerVersion()},
	}}
	var out bytes.Buffer
	encoder := cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON)
	encoder.SetPretty(true)
	err = encoder.Encode(bom)
	return out.Bytes(), err
}

// makerVersion is the maker's version in this program.
func makerVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			if dependency.Path == maker {
				return dependency.Version
			}
		}
	}
	return "unknown" // a test's own program need not say
}

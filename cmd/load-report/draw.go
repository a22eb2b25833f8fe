package main

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/replay"
)

// drawnDays is how much of the end of a history is drawn: more cannot be read.
const drawnDays = 4

// draw writes a picture of the load and of the sizes; the form is that of the path's ending.
func draw(path, title string, courses []course, s replay.Setup) error {
	p := plot.New()
	p.Title.Text = fmt.Sprintf("%s: the last %d days, target %.0f %%, boot %d min", title, drawnDays, 100*s.Target, s.Boot)
	p.X.Label.Text, p.Y.Label.Text = "day", "machines"
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	from := max(0, len(courses[0].load)-drawnDays*24*60)
	add := func(name string, values []float64, c color.Color, width vg.Length, dashes ...vg.Length) error {
		points := make(plotter.XYs, len(values)-from)
		for i := range points {
			points[i].X, points[i].Y = float64(from+i)/(24*60), values[from+i]
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return err
		}
		line.Color, line.Width, line.Dashes = c, width, dashes
		p.Add(line)
		p.Legend.Add(name, line)
		return nil
	}
	needed := make([]float64, len(courses[0].load))
	for i, load := range courses[0].load {
		needed[i] = load / s.Target
	}
	reactive, forecast := courses[0], courses[1]
	for _, err := range []error{
		add("working, forecast", forecast.applied, color.RGBA{R: 0x1b, G: 0x7f, B: 0x3b, A: 0xff}, 1.4),
		add("wanted, forecast", forecast.wanted, color.RGBA{R: 0x7f, G: 0xc9, B: 0x7f, A: 0xff}, .8, 3, 2),
		add("working, reactive", reactive.applied, color.RGBA{R: 0xd9, G: 0x6c, B: 0x0a, A: 0xff}, 1),
		add("wanted, reactive", reactive.wanted, color.RGBA{R: 0xf5, G: 0xb9, B: 0x7a, A: 0xff}, .8, 3, 2),
		add("load / target", needed, color.RGBA{R: 0x22, G: 0x22, B: 0x22, A: 0xff}, .8),
	} {
		if err != nil {
			return err
		}
	}
	p.Y.Min = 0
	p.Y.Max *= 1.25 // room for the legend
	return p.Save(32*vg.Centimeter, 14*vg.Centimeter, path)
}

// Command openstack-simulator serves a simulated OpenStack for people who want to try the autoscaler, or any other
// client of Heat and Nova, without a cloud.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "openstack-simulator:", err)
		os.Exit(1)
	}
}

func run() error {
	address := pflag.String("listen", "127.0.0.1:15000", "address to serve all APIs on")
	speed := pflag.Float64("speed", 1, "virtual seconds in a real second")
	classic := pflag.Bool("classic", false, "use Heat's classic engine instead of convergence")
	clouds := pflag.String("clouds-yaml", "", "write a clouds.yaml with the entry \"simulator\" here")
	stacks := pflag.StringArray("stack", nil, "make a stack at the start: name=template.yaml[,tag...]; nested templates are looked for beside it")
	pflag.Parse()

	sim := simulator.New(simulator.Options{Speed: *speed, Classic: *classic})
	defer sim.Close()
	if err := sim.Start(*address); err != nil {
		return err
	}
	for _, s := range *stacks {
		if err := makeStack(sim, s); err != nil {
			return err
		}
	}
	if *clouds != "" {
		if err := os.WriteFile(*clouds, []byte(sim.CloudsYAML("demo", "demo")), 0o600); err != nil {
			return err
		}
	}
	sim.Subscribe(func(e simulator.ServerEvent) {
		fmt.Printf("%s server %s %s %s\n", sim.Now().Format("15:04:05"), e.Server.Name, e.Type, e.Server.ID)
	})
	fmt.Println("OpenStack is simulated. In another shell:")
	for _, v := range sim.Environment("demo", "demo") {
		fmt.Println("  export", v)
	}
	done := make(chan os.Signal, 1)
	signal.Notify(done, os.Interrupt, syscall.SIGTERM)
	<-done
	return nil
}

// makeStack makes the stack that a --stack flag describes.
func makeStack(sim *simulator.Simulator, flag string) error {
	name, rest, ok := strings.Cut(flag, "=")
	if !ok {
		return fmt.Errorf("--stack=%s: want name=template.yaml[,tag...]", flag)
	}
	parts := strings.Split(rest, ",")
	template, err := os.ReadFile(parts[0])
	if err != nil {
		return err
	}
	files := map[string]string{}
	beside, err := filepath.Glob(filepath.Join(filepath.Dir(parts[0]), "*.yaml"))
	if err != nil {
		return err
	}
	for _, f := range beside {
		content, err := os.ReadFile(f) //nolint:gosec // the user named the folder
		if err != nil {
			return err
		}
		files[filepath.Base(f)] = string(content)
	}
	_, err = sim.CreateStack("demo", simulator.StackSpec{Name: name, Template: string(template), Files: files, Tags: parts[1:]})
	return err
}

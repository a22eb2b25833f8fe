package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// cloudSpec describes the cloud of a benchmark.
type cloudSpec struct {
	Groups, MembersEach int
	// Speed is how fast the cloud works once it is made; its stacks are made in no time.
	Speed float64
}

// cloudInfo is what the process that serves the cloud says of it.
type cloudInfo struct {
	CloudConf string
	// Servers are the ids of each group's servers, by the group's name.
	Servers map[string][]string
}

// discoveryTag marks the groups of a benchmark.
const discoveryTag = "cluster-autoscaler-enabled"

// serveCloud is the other process: it makes the cloud, says where it is and serves it until stdin ends.
func serveCloud(description string) error {
	var spec cloudSpec
	if err := json.Unmarshal([]byte(description), &spec); err != nil {
		return err
	}
	sim := simulator.New(simulator.Options{Speed: spec.Speed, MaxResources: -1, TokenLife: 24 * 365 * time.Hour})
	defer sim.Close()
	if err := sim.Start("127.0.0.1:0"); err != nil {
		return err
	}
	info := cloudInfo{CloudConf: sim.CloudConf("demo", "demo"), Servers: map[string][]string{}}
	byStack := map[string]string{}
	for g := range spec.Groups {
		name := fmt.Sprintf("group-%02d", g)
		id, err := sim.CreateStack("demo", simulator.StackSpec{
			Name: name, Template: simulator.GroupTemplate, Parameters: map[string]any{"node_count": spec.MembersEach},
			Tags: []string{discoveryTag, "node-group-min-size=0", fmt.Sprintf("node-group-max-size=%d", spec.MembersEach+100)},
		})
		if err != nil {
			return err
		}
		byStack[id] = name
	}
	for range 1000 {
		if sim.Settled() {
			break
		}
		sim.FastForward(time.Minute)
	}
	if !sim.Settled() {
		return fmt.Errorf("the simulated stacks were not complete after 1000 minutes of simulated time")
	}
	for _, s := range sim.Servers() {
		group := byStack[s.Metadata["metering.stack"]]
		info.Servers[group] = append(info.Servers[group], s.ID)
	}
	if err := json.NewEncoder(os.Stdout).Encode(info); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// startCloud starts the other process. Its cloud ends when the returned function is called, or when this process ends.
func startCloud(ctx context.Context, spec cloudSpec) (info cloudInfo, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return info, nil, err
	}
	description, err := json.Marshal(spec)
	if err != nil {
		return info, nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-cloud="+string(description)) //nolint:gosec // this program itself
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return info, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return info, nil, err
	}
	if err := cmd.Start(); err != nil {
		return info, nil, err
	}
	stop = func() {
		_ = in.Close()
		_ = cmd.Wait()
	}
	line, err := bufio.NewReaderSize(out, 1<<20).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &info)
	}
	if err != nil {
		stop()
		return info, nil, fmt.Errorf("the simulated cloud did not start: %w", err)
	}
	return info, stop, nil
}

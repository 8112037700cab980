"""Makes the networks of a World stand in the kernel, and remembers what is applied so that a quiet round costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from .network import kernel, layout, router, security_groups
from .settings import Settings
from .world import Machine, Vpc, World


class Networks:
    """`vpc_added(vpc)` is called once for each VPC whose router stands, `vpc_removed(vpc id)` before it goes."""

    def __init__(self, settings: Settings, vpc_added: Callable[[Vpc], None], vpc_removed: Callable[[str], None]) -> None:
        self._settings = settings
        self._vpc_added = vpc_added
        self._vpc_removed = vpc_removed
        self._applied: dict[str, object] = {}  # namespace -> what was applied last
        self._served: set[str] = set()

    def reconcile(self, world: World) -> None:
        """Bring namespaces, links, addresses and rules to `world`; rules before the machines that they guard."""
        standing = kernel.namespaces(self._settings.namespace(""))
        wanted = {self._name(identity) for identity in ("internet", *world.vpcs, *world.machines)}
        for vpc_id in self._served - set(world.vpcs):
            self._vpc_removed(vpc_id)
            self._served.discard(vpc_id)
        for name in standing - wanted:
            kernel.delete_namespace(name)
            self._applied.pop(name, None)
        if self._name("internet") not in standing:
            self.add_internet()
        for vpc in world.vpcs.values():
            self._reconcile_vpc(vpc, world, standing)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda machine: self._reconcile_machine(machine, world, standing), world.machines.values()))

    def add_internet(self) -> None:
        """The lab's internet, if it does not stand yet."""
        name = self._name("internet")
        if name not in kernel.namespaces(name):
            with kernel.new_namespace(name, layout.ROUTER_SYSCTLS):
                kernel.configure(name, layout.internet())

    def _reconcile_vpc(self, vpc: Vpc, world: World, standing: set[str]) -> None:
        name = self._name(vpc.id)
        if name not in standing:
            with kernel.new_namespace(name, layout.ROUTER_SYSCTLS):
                kernel.delete_link(self._name("internet"), layout.link_name("u", vpc.id))
                kernel.configure(self._name("internet"), layout.vpc_link(vpc.id, name))
                kernel.configure(name, layout.router(vpc))
            self._applied.pop(name, None)
        public = router.public_addresses(vpc, world)
        wanted = (router.ruleset(vpc, world), layout.router_addresses(vpc, public), public)
        if self._applied.get(name) != wanted:
            kernel.apply_rules(name, wanted[0])
            kernel.set_addresses(name, wanted[1])
            kernel.configure(self._name("internet"), layout.vpc_routes(vpc.id, public))
            self._applied[name] = wanted
        if vpc.id not in self._served:
            self._vpc_added(vpc)
            self._served.add(vpc.id)

    def _reconcile_machine(self, machine: Machine, world: World, standing: set[str]) -> None:
        name = self._name(machine.id)
        vpc = world.vpcs[machine.vpc_id]
        links = tuple((interface.id, interface.address) for interface in machine.interfaces)
        if name in standing and self._applied.get(f"{name} links", links) != links:
            kernel.delete_namespace(name)  # its interfaces changed
            standing = standing - {name}
        wanted = security_groups.ruleset(machine, world)
        if name not in standing:
            with kernel.new_namespace(name, layout.MACHINE_SYSCTLS):
                kernel.apply_rules(name, wanted)  # before its links: nothing is reachable without its rules
                for index, interface in enumerate(machine.interfaces):
                    kernel.delete_link(self._name(vpc.id), layout.link_name("m", interface.id))
                    kernel.configure(self._name(vpc.id), layout.machine_link(interface, name, index))
                kernel.configure(name, layout.machine(machine, vpc))
        elif self._applied.get(name) != wanted:
            kernel.apply_rules(name, wanted)
        self._applied[name] = wanted
        self._applied[f"{name} links"] = links

    def _name(self, identity: str) -> str:
        return self._settings.namespace(identity)

"""RDS parameter groups: what may be set, when it comes into force, and what DescribeDBParameters tells (moto tells nothing).

RDS User Guide, "Parameter groups for Amazon RDS": a dynamic parameter changes at once unless asked to wait, a static one waits for
a reboot; after another group has been given to an instance, everything in it waits for a reboot. Until then the status is pending-reboot.

The tables hold the parameters that stacks of this kind set; others are refused like unknown ones.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.rds.exceptions import DBParameterGroupNotFoundError, InvalidParameterCombination, InvalidParameterValue, RDSClientError
from moto.rds.models import DBInstance, RDSBackend
from moto.rds.responses import RDSResponse

from ._patch import wrap

# name, dynamic or static, type, and the values allowed: a range, a list, or nothing for any.
TABLES = {
    "postgres": """
        autovacuum dynamic boolean 0,1
        checkpoint_timeout dynamic integer 30-86400
        deadlock_timeout dynamic integer 1-2147483647
        default_statistics_target dynamic integer 1-10000
        effective_cache_size dynamic integer 1-2147483647
        idle_in_transaction_session_timeout dynamic integer 0-2147483647
        lock_timeout dynamic integer 0-2147483647
        log_connections dynamic boolean 0,1
        log_disconnections dynamic boolean 0,1
        log_lock_waits dynamic boolean 0,1
        log_min_duration_statement dynamic integer -1-2147483647
        log_statement dynamic string none,ddl,mod,all
        log_temp_files dynamic integer -1-2147483647
        maintenance_work_mem dynamic integer 1024-2147483647
        max_connections static integer 6-8388607
        max_locks_per_transaction static integer 10-2147483647
        max_parallel_workers dynamic integer 0-1024
        max_prepared_transactions static integer 0-8388607
        max_wal_size dynamic integer 128-201326592
        max_worker_processes static integer 0-262143
        random_page_cost dynamic float
        rds.force_ssl dynamic boolean 0,1
        search_path dynamic string
        shared_buffers static integer 16-1073741823
        shared_preload_libraries static list
        statement_timeout dynamic integer 0-2147483647
        synchronous_commit dynamic string local,on,off
        timezone dynamic string
        track_activity_query_size static integer 100-102400
        wal_buffers static integer -1-262143
        work_mem dynamic integer 64-2147483647
    """,
    "mysql": """
        autocommit dynamic boolean 0,1
        binlog_format dynamic string ROW,STATEMENT,MIXED
        character_set_server dynamic string
        collation_server dynamic string
        connect_timeout dynamic integer 2-31536000
        event_scheduler dynamic string ON,OFF
        explicit_defaults_for_timestamp dynamic boolean 0,1
        general_log dynamic boolean 0,1
        group_concat_max_len dynamic integer 4-4294967295
        init_connect dynamic string
        innodb_buffer_pool_size dynamic integer 5242880-9223372036854775807
        innodb_flush_log_at_trx_commit dynamic integer 0-2
        innodb_lock_wait_timeout dynamic integer 1-1073741824
        innodb_log_file_size static integer 4194304-274877906944
        innodb_print_all_deadlocks dynamic boolean 0,1
        interactive_timeout dynamic integer 1-31536000
        local_infile dynamic boolean 0,1
        log_bin_trust_function_creators dynamic boolean 0,1
        log_output dynamic string TABLE,FILE,NONE
        log_queries_not_using_indexes dynamic boolean 0,1
        long_query_time dynamic float
        max_allowed_packet dynamic integer 1024-1073741824
        max_connect_errors dynamic integer 1-9223372036854775807
        max_connections dynamic integer 1-100000
        max_heap_table_size dynamic integer 16384-1844674407370954752
        net_read_timeout dynamic integer 1-31536000
        net_write_timeout dynamic integer 1-31536000
        performance_schema static boolean 0,1
        require_secure_transport dynamic boolean 0,1
        skip_name_resolve static boolean 0,1
        slow_query_log dynamic boolean 0,1
        sql_mode dynamic list
        sync_binlog dynamic integer 0-4294967295
        table_open_cache dynamic integer 1-1048576
        thread_cache_size dynamic integer 0-16384
        tmp_table_size dynamic integer 1024-9223372036854775807
        wait_timeout dynamic integer 1-31536000
    """,
}
TABLES["mariadb"] = TABLES["mysql"]


def install() -> None:
    wrap(RDSBackend, "describe_db_parameter_groups")(_describe_groups)
    wrap(RDSBackend, "modify_db_parameter_group")(_modify)
    wrap(RDSBackend, "delete_db_parameter_group")(_delete)
    RDSResponse.describe_db_parameters = _describe_parameters
    DBInstance.db_parameter_group_status_list = property(_status_list)
    DBInstance.lab_in_force, DBInstance.lab_group = None, None


def known(family: str) -> dict[str, dict[str, str]]:
    """The parameters of a family by name: ApplyType, DataType and, where it is limited, AllowedValues."""
    table = TABLES.get(re.sub(r"[\d.]+$", "", family), "")
    rows = [line.split() for line in table.strip().splitlines()]
    return {
        name: {"ApplyType": apply, "DataType": kind, **({"AllowedValues": allowed[0]} if allowed else {})}
        for name, apply, kind, *allowed in rows
    }


def wanted(database: Any) -> dict[str, str]:
    """What the instance's parameter group sets."""
    return {
        name: str(values["ParameterValue"])
        for name, values in _group(database).parameters.items()
        if values.get("ParameterValue") is not None
    }


def in_force(database: Any) -> dict[str, str]:
    """What the server runs with."""
    return dict(database.lab_in_force or {})


def at_start(database: Any) -> None:
    """The server is about to start: everything that the group sets comes into force."""
    database.lab_in_force, database.lab_group = wanted(database), _group(database).name


def at_once(database: Any) -> dict[str, str]:
    """What has been set since, and comes into force without a reboot."""
    group, current = _group(database), in_force(database)
    if group.name != database.lab_group:
        return {}
    rules = known(group.family)
    return {
        name: value
        for name, value in wanted(database).items()
        if current.get(name) != value
        and rules.get(name, {}).get("ApplyType") == "dynamic"
        and group.parameters[name].get("ApplyMethod") != "pending-reboot"
    }


def status(database: Any) -> str:
    """ParameterApplyStatus."""
    if at_once(database):
        return "applying"
    pending = _group(database).name != database.lab_group or wanted(database) != in_force(database)
    return "pending-reboot" if database.lab_group and pending else "in-sync"


def check(family: str, name: str, value: str, method: str | None) -> None:
    """Raise what AWS answers to a value that it does not take."""
    rules = known(family).get(name)
    if rules is None:
        raise InvalidParameterValue(f"Could not find parameter with name: {name} (of {family} the lab knows {', '.join(known(family))})")
    if rules["ApplyType"] == "static" and method == "immediate":
        raise InvalidParameterCombination(f"cannot use immediate apply method for static parameter: {name}")
    allowed = rules.get("AllowedValues", "")
    limits = re.fullmatch(r"(-?\d+)-(\d+)", allowed)
    if limits:
        fits = bool(re.fullmatch(r"-?\d+", value)) and int(limits[1]) <= int(value) <= int(limits[2])
    else:
        fits = not allowed or value in allowed.split(",")
    if not fits or "\n" in value or "\r" in value:
        raise InvalidParameterValue(f"Invalid parameter value: {value} for: {name} allowed values are: {allowed}")


def described(family: str, given: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The family's parameters with what a group sets of them."""
    for name, rules in known(family).items():
        values = given.get(name, {})
        yield {
            "ParameterName": name,
            **rules,
            "IsModifiable": True,
            "Source": "user" if "ParameterValue" in values else "engine-default",
            "ApplyMethod": values.get("ApplyMethod", "pending-reboot"),
            **({"ParameterValue": values["ParameterValue"]} if "ParameterValue" in values else {}),
        }


def _group(database: Any) -> Any:
    return database.db_parameter_groups()[0]


def _status_list(database: Any) -> list[Any]:
    shown = copy.copy(_group(database))
    shown.ParameterApplyStatus = status(database)
    return [shown]


def _describe_parameters(response: Any) -> Any:
    """DescribeDBParameters: all of the family's, not only those that were set."""
    [group] = response.backend.describe_db_parameter_groups({"db_parameter_group_name": response.params["DBParameterGroupName"]})
    source = response.params.get("Source")
    found = [entry for entry in described(group.family, group.parameters) if source in (None, entry["Source"])]
    return ActionResult({"Parameters": found})


def _describe_groups(original: Callable[..., Any], rds: Any, params: dict[str, Any]) -> Any:
    """An unknown name is an error on AWS; moto's empty list makes `rds_instance_param_group` fail with an IndexError."""
    found, name = original(rds, params), params.get("db_parameter_group_name")
    if name and not found:
        raise DBParameterGroupNotFoundError(name)
    return found


def _modify(original: Callable[..., Any], rds: Any, db_parameter_group_name: str, db_parameter_group_parameters: Any) -> Any:
    [group] = rds.describe_db_parameter_groups({"db_parameter_group_name": db_parameter_group_name})
    if group.name.startswith("default."):
        raise RDSClientError("InvalidDBParameterGroupState", "Default DB parameter groups can't be modified; make one of your own.")
    given = [dict(parameter) for parameter in db_parameter_group_parameters]
    for parameter in given:
        check(group.family, parameter["ParameterName"], str(parameter.get("ParameterValue", "")), parameter.get("ApplyMethod"))
    return original(rds, db_parameter_group_name, given)


def _delete(original: Callable[..., Any], rds: Any, db_parameter_group_name: str) -> Any:
    name = db_parameter_group_name.lower()
    if name.startswith("default."):
        raise RDSClientError("InvalidDBParameterGroupState", f"Default DBParameterGroup cannot be deleted: {name}")
    users = [database.db_instance_identifier for database in rds.databases.values() if database.db_parameter_group_name == name]
    if users:
        raise RDSClientError(
            "InvalidDBParameterGroupState", f"One or more database instances are still members of this parameter group {name}: {users[0]}"
        )
    return original(rds, db_parameter_group_name)

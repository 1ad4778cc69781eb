# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible itself does with hosts that fail or are lost: our verdict for the fleet rests on each of these.

Where one of them changes in a new ansible-core, the playbooks have to be looked at again.
"""

from __future__ import annotations

ALL = ["a", "b", "localhost"]
EVERYBODY = ["a", "b", "localhost", "lost"]

PLAY = """
- name: A play
  hosts: localhost:a:b:lost
  gather_facts: false
"""


def mark(name: str) -> str:
    """A task that shows which hosts come to it, and needs no connection."""
    return f'    - debug: {{msg: "MARK {{{{ inventory_hostname }}}} {name} END"}}\n'


def fail_on(host: str, indent: str = "    ") -> str:
    return f"{indent}- name: Do it\n{indent}  fail: {{msg: broken}}\n{indent}  when: inventory_hostname == '{host}'\n"


def lose(indent: str = "    ") -> str:
    """The task at which ``lost`` is lost: only there a connection is needed."""
    return f"{indent}- ping:\n{indent}  when: inventory_hostname == 'lost'\n"


BLOCK = f"""
    - block:
{fail_on("a", "        ")}
        - debug: {{msg: 'MARK {{{{ inventory_hostname }}}} switched END'}}
      rescue:
        - debug: {{msg: 'MARK {{{{ inventory_hostname }}}} rescued END'}}
      always:
        - debug: {{msg: 'MARK {{{{ inventory_hostname }}}} always END'}}
"""


def test_a_rescued_host_stays_and_the_others_go_on_as_if_nothing_had_been(play):
    run = play(PLAY + "  tasks:" + BLOCK + mark("after") + PLAY + "  tasks:\n" + mark("next"))
    assert run.marks == {
        "switched": ["b", "localhost", "lost"],
        "rescued": ["a"],
        "always": EVERYBODY,
        "after": EVERYBODY,
        "next": EVERYBODY,
    }
    assert run.status == 0, "a mixed fleet is a success for Ansible: we must fail ourselves"
    assert run.recap["a"]["rescued"] == 1
    assert run.recap["a"]["failed"] == 0


def test_a_reason_is_known_in_a_rescue_and_later_to_all(play):
    kept = """
    - set_fact: {reason: "{{ ansible_failed_task.name }}: {{ ansible_failed_result.msg }}"}
      when: inventory_hostname == 'a'
"""
    shown = mark("{{ hostvars['a'].reason | replace(' ', '_') }}")
    rescued = BLOCK.replace("      always:", kept.replace("\n    ", "\n        ").lstrip("\n") + "      always:")
    assert play(PLAY + "  tasks:" + rescued + shown).marks["Do_it:_broken"] == EVERYBODY


def test_any_errors_fatal_leaves_the_next_play_to_the_host_that_failed(play):
    play_on_all = PLAY + "  any_errors_fatal: true\n  tasks:" + BLOCK + mark("after")
    run = play(play_on_all + PLAY + "  tasks:\n" + mark("next"))
    assert run.marks["rescued"] == EVERYBODY
    assert run.marks.get("next", []) == ["a"], "why we do without it"
    assert run.status == 2
    assert {counts["failed"] for counts in run.recap.values()} == {0}


UNREACHABLE = f"""
    - block:
{lose("        ")}
        - debug: {{msg: 'MARK {{{{ inventory_hostname }}}} switched END'}}
      rescue:
        - debug: {{msg: 'MARK {{{{ inventory_hostname }}}} rescued END'}}
      always:
        - debug: {{msg: 'MARK {{{{ inventory_hostname }}}} always END'}}
    - debug: {{msg: "MARK localhost {{{{ ansible_play_hosts | join(',') }}}} END"}}
      run_once: true
"""


def test_a_lost_host_runs_neither_rescue_nor_always_and_leaves_the_run(play):
    run = play(PLAY + "  tasks:" + UNREACHABLE + PLAY + "  tasks:\n" + mark("next"))
    assert run.marks == {"switched": ALL, "always": ALL, "localhost,a,b": ["localhost"], "next": ALL}
    assert run.status == 4
    assert run.recap["lost"]["unreachable"] == 1


CLEARED = PLAY + "  tasks:\n    - meta: clear_host_errors\n" + mark("cleared") + mark("undone")


def test_clear_host_errors_brings_a_lost_host_back_for_the_rest_of_that_play_after_the_others(play):
    run = play(PLAY + "  tasks:\n" + lose() + CLEARED + PLAY + "  tasks:\n" + mark("next"))
    assert run.marks == {"cleared": EVERYBODY, "undone": EVERYBODY, "next": ALL}
    assert run.said.index("MARK lost cleared") > run.said.index("MARK a undone"), "why the outcome is a play of its own"
    assert run.status == 4


def test_clear_host_errors_brings_a_failed_host_back_in_the_next_play(play):
    run = play(PLAY + "  tasks:\n" + fail_on("a") + CLEARED + PLAY + "  tasks:\n" + mark("next"))
    assert run.marks["cleared"] == ["b", "localhost", "lost"], "why a failure is rescued in every step"
    assert run.marks["next"] == EVERYBODY
    assert run.status == 0, "we must fail ourselves, in the end"


def test_a_failure_after_clear_host_errors_is_a_failure(play):
    end = "\n- name: The outcome\n  hosts: localhost\n  gather_facts: false\n  tasks:\n" + fail_on("localhost")
    run = play(PLAY + "  tasks:" + BLOCK + CLEARED + end)
    assert run.marks["undone"] == EVERYBODY
    assert run.status == 2


def test_ignore_unreachable_keeps_the_host_and_says_that_it_was_lost(play):
    tasks = """
    - ping:
      ignore_unreachable: true
      register: answer
      when: inventory_hostname in ['lost', 'b']
    - debug: {msg: "MARK {{ inventory_hostname }} {{ answer.unreachable | default(false) | lower }} END"}
"""
    run = play(PLAY + "  tasks:" + tasks + mark("after"))
    assert run.marks == {"false": ALL, "true": ["lost"], "after": EVERYBODY}
    assert run.status == 0


def test_a_fact_of_a_task_that_runs_once_is_everybodys(play):
    tasks = """
    - set_fact: {decision: go}
      run_once: true
    - debug: {msg: "MARK {{ inventory_hostname }} {{ decision }} END"}
"""
    run = play(PLAY + "  tasks:" + tasks + PLAY + "  tasks:\n" + mark("{{ decision }}-later"))
    assert run.marks == {"go": EVERYBODY, "go-later": EVERYBODY}


def test_a_lost_host_does_not_get_the_facts_of_those_that_went_on(play):
    tasks = lose() + "    - set_fact: {decision: no-go}\n      run_once: true\n"
    second = CLEARED + mark("{{ decision | default('unknown') }}")
    asked = mark("{{ hostvars['localhost'].decision }}-asked")
    run = play(PLAY + "  tasks:\n" + tasks + second + asked)
    assert (run.marks["no-go"], run.marks["unknown"]) == (ALL, ["lost"])
    assert run.marks["no-go-asked"] == EVERYBODY, "why localhost is asked"


def test_a_task_runs_once_on_the_first_host_that_is_left(play):
    tasks = (
        fail_on("localhost") + "    - debug: {msg: 'MARK {{ inventory_hostname }} once END'}\n      run_once: true\n"
    )
    assert play(PLAY + "  tasks:\n" + tasks).marks == {"once": ["a"]}


def test_a_play_ends_where_no_host_is_left(play):
    alone = PLAY.replace("localhost:a:b:lost", "lost")
    run = play(alone + "  tasks:\n" + lose() + mark("after") + PLAY + "  tasks:\n" + mark("next"))
    assert run.marks == {}, "why localhost is in every play"
    assert run.status == 4


def test_a_batch_that_failed_stops_those_that_follow_unless_it_was_rescued(play):
    serial = PLAY.replace("localhost:a:b:lost", "a:b") + "  serial: 1\n"
    assert play(serial + "  tasks:\n" + fail_on("a") + mark("after")).marks == {}
    assert play(serial + "  tasks:" + BLOCK + mark("after")).marks["switched"] == ["b"], "why waves need a verdict"


def test_failed_and_lost_hosts_have_statuses_of_their_own(play):
    assert play(PLAY + "  tasks:\n" + fail_on("a")).status == 2
    assert play(PLAY + "  tasks:\n" + lose()).status == 4
    assert play(PLAY + "  tasks:\n" + fail_on("a") + lose()).status == 4


def test_a_loop_of_included_tasks_goes_through_all_hosts_item_by_item(play, tmp_path):
    (tmp_path / "one.yml").write_text(mark("one-{{ item }}").replace("    -", "-"))
    tasks = "    - include_tasks: one.yml\n      loop: [1, 2]\n"
    run = play(PLAY + "  tasks:\n" + tasks)
    assert list(run.marks) == ["one-1", "one-2"]
    assert run.marks == {"one-1": EVERYBODY, "one-2": EVERYBODY}


def test_a_loop_can_end_at_the_first_failure(play):
    tasks = """
    - name: Watch
      command: {argv: [sh, -c, "echo MARK a item-{{ item }} END; test {{ item }} -lt 2"]}
      loop: "{{ range(0, 6 | int, 2) | list }}"
      loop_control: {break_when: watched is failed, label: "{{ [2 + item, 6 | int] | min }} s"}
      register: watched
      ignore_errors: true
      when: inventory_hostname == 'a'
    - debug: {msg: "MARK {{ inventory_hostname }} {{ watched.results | default([]) | length }}-items END"}
"""
    run = play(PLAY + "  tasks:" + tasks)
    assert run.marks["2-items"] == ["a"], "why a soak ends when the release dies"
    assert run.said.index("(item=2 s)") < run.said.index("(item=4 s)")


def test_a_play_that_is_ended_ends_for_every_host_and_the_next_one_begins(play):
    ended = PLAY + "  pre_tasks:\n    - meta: end_play\n      when: hostvars['localhost'].none | default(true)\n"
    begin, following = PLAY + "  tasks:\n" + lose(), PLAY + "  tasks:\n" + mark("next")
    run = play(begin + ended + "  tasks:\n" + mark("inside") + following)
    assert run.marks == {"next": ALL}

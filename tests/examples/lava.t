#!/bin/sh
# packaging/lava/run.sh gives LAVA what pipetest says; a model of lava-test-case writes its words down.
. "${0%/*}/../tap.sh"
mkdir bin
cat >bin/lava-test-case <<-'END'
	#!/bin/sh
	echo "$*" >>"$CASES"
END
# Fewer cases, and a shorter measurement, than on a board.
cat >bin/few <<-END
	#!/bin/sh
	case \$1 in
	--lava) exec $EMULATOR "$IPCBOX" pipetest -t 'tut.p1.*' --lava ;;
	*) exec $EMULATOR "$IPCBOX" pipetest -b=sheet -D 20ms --lava ;;
	esac
END
chmod 755 bin/*
PATH=$T/bin:$PATH CASES=$T/cases PIPETEST=few run sh "$top/packaging/lava/run.sh"
is 'run.sh ends with status 0 and without a word on stderr' '0 ' "$rc $err"
# "ok 1 NAME" or "ok 1 NAME # 12 us" is a pass.
is 'run.sh gives LAVA the name and the result of each case' \
	"$(echo "$out" | sed -n 's/^ok [0-9]* \(tut[^ ]*\).*/\1 --result pass/p')" "$(grep '^tut' cases | sed 's/ --measurement.*//')"
is 'run.sh gives LAVA the totals of the cases' "$(echo "$out" | sed -n 's/^# Totals: //p' | head -n 1)" \
	"$(sed -n 's/^total\.\([a-z]*\) --result pass --measurement \([0-9]*\) --units cases$/\1:\2/p' cases | tr '\n' ' ' | sed 's/ $//')"
like 'run.sh gives LAVA measurements with their units' 'bench.* --result pass --measurement * --units *' "$(grep '^bench' cases)"
is 'each line of run.sh has the words that lava-test-case takes' '' \
	"$(grep -vE '^[A-Za-z0-9_.-]+ --result (pass|fail|skip|unknown)( --measurement [0-9.]+ --units [^ ]+)?$' cases)"
is 'run.sh prints no signal, which LAVA would refuse there' '' "$(echo "$out" | grep '^<LAVA')"

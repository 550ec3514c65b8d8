#!/bin/sh
# mmapw --replace: another schema, with the values of the fields that stay.
. "${0%/*}/../tap.sh"

box mmapw -S 'id:i32,name:str20,t:f64[2],flag:bool,raw:bin2,gone:u8' b id=70000 name='xiao bai' t=1.5,-2 flag=1 raw=00ff gone=9
run box mmapw -S id:i64 b
is 'the refusal of another schema without --replace shows both schemas' \
	"1 mmapw: 'b' has another schema: 'id:i32@0,name:str20@4,t:f64[2]@24,flag:bool@40,raw:bin2@41,gone:u8@43', not 'id:i64@0': use --replace" "$rc $err"
rm -f lines
bg mmapr -f -J b >lines 2>err
wait_for grep -q '^State:.S' "/proc/$pid/status"
run box mmapw --replace -S 'new:u8,name:str40,id:i64,raw:bin2,flag:u8,t:f32[3]' b new=1
is 'mmapw --replace takes another schema' '0 ' "$rc $err"
is 'fields of the same name keep their value' 'new=1	 name=xiao bai	 id=70000	 raw=00ff	 flag=1	 t=1.5,-2,0' "$(box mmapr -1 b)"
is 'the numbers of the publications go on over --replace' 'seq=2' "$(box mmapr -1 -o seq b)"
ok 'mmapr -f goes along with the new schema' \
	wait_for grep -qxF '{"new":1,"name":"xiao bai","id":70000,"raw":"00ff","flag":1,"t":[1.5,-2,0]}' lines
is 'mmapr -f prints the new publication alone' 1 "$(grep -c . lines)"
kill $pid
run box mmapw --replace -S 'id:i16,name:str4,t:i8[2]' b - </dev/null
is 'mmapw --replace names each value that does not fit' "0 mmapw: field 'id': '70000' is out of range for i16
mmapw: field 'name': 'xiao bai' is too long for str4
mmapw: field 't': '1.5' is invalid for i8[2]" "$rc $err"
is 'mmapw --replace makes a value that does not fit 0, and keeps the others' 'id=0	 name=	 t=0,-2' "$(box mmapr -1 b)"
ok 'the board is whole after --replace' box mmapr --check b
run box mmapw --replace -S 'id:i16,name:str4,t:i8[2]' b id=5
is '--replace of the same schema keeps the file' '0 id=5' "$rc $(box mmapr -1 -o id b)"
box mmapw b id=6
run box mmapw --replace -n 8 b id=7
is '--replace takes another number of slots' '0 8 id=7' "$rc $(box mmapr --info b | sed -n 's/^slots: //p') $(box mmapr -1 -o id b)"
ln -s b link
run box mmapw --replace -S id:u8 link id=8
is '--replace through a symbolic link leaves the link' '0 id=8 link' "$rc $(box mmapr -1 b) $([ -h link ] && echo link)"
box mmapw --raw raw id=3 name=old
run box mmapw --replace -S 'name:str20,id:i64' raw id=4
is '--replace makes a board of a raw record' '0 name=old	 id=4' "$rc $(box mmapr -1 raw)"
# A program in C may fill all bytes of a text; mmapw writes one less.
printf '\1\1\1\1%s\0\0\0\0' 12345678901234567890 >full
run box mmapw --replace -S 'name:str20,id:i64' full id=4
is '--replace keeps a text that fills its field' '0  name=12345678901234567890	 id=4' "$rc $err $(box mmapr -1 full)"
run box mmapw --replace -S 'name:str19' full - </dev/null
is '--replace names a text that is longer than its new field' \
	"0 mmapw: field 'name': '12345678901234567890' is too long for str19" "$rc $err"
bg mmapw -X b id=1
wait_for box mmapr -1W b
run box mmapw --replace -S x:u8 b x=1
like '--replace leaves a board to its live writer' "3 mmapw: 'b' is held by pid $pid*" "$rc $err"
kill $pid
for opts in '--replace' '--replace --raw' '--replace --raw -S id:u8'; do
	run box mmapw $opts b id=1
	is "mmapw $opts is a usage error" 2 "$rc"
done
run box mmapw --replace -S x:u8 fresh x=1
is 'mmapw --replace makes a file that is not there' '0 x=1' "$rc $(box mmapr -1 fresh)"
run box mmapw --replace -S x:u8,y:i8 fresh y=200
is 'a wrong value is found before --replace makes the file anew' '2 x=1' "$rc $(box mmapr -1 fresh)"
run box mmapw --replace -n 8 fresh
is 'the record of the help, which does not fit, is found wrong before --replace makes the file anew' \
	"2 mmapw: no field 'id': there are x slots: 2" "$rc $err $(box mmapr --info fresh | grep slots)"

# One element of an array.
box mmapw -S 'temp:i16[3],s:str4[2],n:u8' e temp=1,2,3 s=a,b
run box mmapw e 'temp[2]=5' 's[0]=x,y'
is 'FIELD[K]=VALUE sets one element' '0 temp=1,2,5	 s=x,y,b	 n=0' "$rc $(box mmapr -1 e)"
echo 'temp[0]=-7 n=3' | box mmapw e -
is 'FIELD[K]=VALUE is taken in a line' 'temp=-7,2,5	 s=x,y,b	 n=3' "$(box mmapr -1 e)"
while IFS='|' read -r word why; do
	run box mmapw e "$word"
	is "mmapw e $word is a usage error" "2 mmapw: $why" "$rc $err"
done <<-'END2'
	temp[3]=1|no element '[3]' of field 'temp': i16[3] has [0] to [2]
	temp[01]=1|no element '[01]' of field 'temp': i16[3] has [0] to [2]
	temp[00]=1|no element '[00]' of field 'temp': i16[3] has [0] to [2]
	temp[+1]=1|no element '[+1]' of field 'temp': i16[3] has [0] to [2]
	temp[ 1]=1|no element '[ 1]' of field 'temp': i16[3] has [0] to [2]
	temp[1 ]=1|no element '[1 ]' of field 'temp': i16[3] has [0] to [2]
	temp[0x1]=1|no element '[0x1]' of field 'temp': i16[3] has [0] to [2]
	temp[4294967297]=1|no element '[4294967297]' of field 'temp': i16[3] has [0] to [2]
	temp[18446744073709551617]=1|no element '[18446744073709551617]' of field 'temp': i16[3] has [0] to [2]
	temp[-1]=1|no element '[-1]' of field 'temp': i16[3] has [0] to [2]
	temp[]=1|no element '[]' of field 'temp': i16[3] has [0] to [2]
	temp[1=1|no element '[1' of field 'temp': i16[3] has [0] to [2]
	temp[1]x=1|no element '[1]x' of field 'temp': i16[3] has [0] to [2]
	temp[99999999999999999999999]=1|no element '[99999999999999999999999]' of field 'temp': i16[3] has [0] to [2]
	temp[0]=99999|field 'temp': '99999' is out of range for i16[3]
	n[0]=1|field 'n' is u8: it has no elements
	[1]=1|no field '': there are temp, s, n
	none[0]=1|no field 'none': there are temp, s, n
END2
is 'a wrong element changes nothing' 'temp=-7,2,5	 s=x,y,b	 n=3' "$(box mmapr -1 e)"

# JSON both ways: what mmapr -J prints, mmapw takes.
box mmapw -S 'f:f32[3],d:f64,i:i64,b:bool' j f=nan,1.5,-0 d=nan i=-9223372036854775808 b=true
line=$(box mmapr -1J j)
is 'mmapr -J prints NaN as null' '{"f":[null,1.5,-0],"d":null,"i":-9223372036854775808,"b":true}' "$line"
box mmapw j f=0,0,0 d=1 i=1 b=0
run sh -c "printf '%s\n' '$line' | $EMULATOR $IPCBOX mmapw j -"
is 'mmapw takes what mmapr -J prints, null too' "0  $line" "$rc $err $(box mmapr -1J j)"
is 'mmapw takes null as NaN' 'd=nan' "$(box mmapr -1 -o d j)"
while IFS='|' read -r object why; do
	run sh -c "printf '%s\n' '$object' | $EMULATOR $IPCBOX mmapw j -"
	is "mmapw refuses the object $object" "2 mmapw: $why" "$rc $err"
done <<-'END2'
	{"d":Infinity}|field 'd': 'Infinity' is infinite, which JSON cannot say, for f64
	{"d":-Infinity}|field 'd': '-Infinity' is infinite, which JSON cannot say, for f64
	{"d":inf}|field 'd': 'inf' is infinite, which JSON cannot say, for f64
	{"d":"-inf"}|field 'd': '-inf' is infinite, which JSON cannot say, for f64
	{"d":1e999}|field 'd': '1e999' is out of range for f64
	{"d":nan}|field 'd': 'nan' is invalid for f64
	{"d":NaN}|field 'd': 'NaN' is invalid for f64
	{"d":01}|field 'd': '01' is invalid for f64
	{"d":1.}|field 'd': '1.' is invalid for f64
	{"d":.5}|field 'd': '.5' is invalid for f64
	{"d":+1}|field 'd': '+1' is invalid for f64
	{"d":1e}|field 'd': '1e' is invalid for f64
	{"d":--1}|field 'd': '--1' is invalid for f64
	{"d":true}|field 'd': 'true' is invalid for f64
	{"d":}|field 'd': '' is invalid for f64
	{"i":01}|field 'i': '01' is invalid for i64
	{"i":-01}|field 'i': '-01' is invalid for i64
	{"i":null}|field 'i': 'null' is invalid for i64
	{"b":null}|field 'b': 'null' is invalid for bool
	{"b":01}|field 'b': '01' is invalid for bool
	{"f":[1,2]}|field 'f' is f32[3]: it takes an array of 3 elements
	{"f":[1,2,3,4]}|field 'f' is f32[3]: it takes an array of 3 elements
	{"f":5}|field 'f' is f32[3]: it takes an array of 3 elements
	{"f":[1,x,3]}|field 'f': 'x' is invalid for f32[3]
END2
for number in 0 -0 1e2 1E+2 1.25e-2 -10.5 1e-400; do
	run sh -c "printf '{\"d\":%s}\n' $number | $EMULATOR $IPCBOX mmapw j -"
	is "mmapw takes $number as a number of JSON" '0 ' "$rc $err"
done
